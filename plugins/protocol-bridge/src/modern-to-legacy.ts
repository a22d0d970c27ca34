import { ConnectorError } from '@mcp-connect/core';
import type { Direction, DirectionContext } from './direction.js';

/** Lets a modern client use a server that begins with `initialize`. */
export function openModernToLegacy(context: DirectionContext): Direction {
  const { label } = context.client.endpoint;
  throw new ConnectorError('MCPC_BAD_RESPONSE', `${label} speaks no modern revision.`);
}
