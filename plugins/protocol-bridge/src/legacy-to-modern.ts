import type { Direction, DirectionContext } from './direction.js';
import type { Discovered } from './era.js';
import { passThrough } from './direction.js';

/** Lets a legacy client use a server that knows no session. */
export function openLegacyToModern(context: DirectionContext, _discovered: Discovered): Direction {
  return passThrough(context);
}
