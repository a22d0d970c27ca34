import type { Row } from '../row.js';
import { CONNECTIONS } from './connections.js';
import { INPUT } from './input.js';
import { REPLIES } from './replies.js';
import { SIZES } from './sizes.js';
import { STATUSES } from './statuses.js';
import { STOPS } from './stops.js';

/** Every row of the fault table, in its order. */
export const ROWS: readonly Row[] = [...CONNECTIONS, ...REPLIES, ...STATUSES, ...SIZES, ...INPUT, ...STOPS];
