import type { Row } from '../row.js';
import { CONNECTIONS } from './connections.js';
import { INPUT } from './input.js';
import { NEWS } from './news.js';
import { REPLIES } from './replies.js';
import { SEVERAL } from './several.js';
import { SIZES } from './sizes.js';
import { SILENCE } from './silence.js';
import { STATUSES } from './statuses.js';
import { STOPS } from './stops.js';

/** Every row of the fault table, in its order. */
export const ROWS: readonly Row[] = [
  ...CONNECTIONS,
  ...SILENCE,
  ...NEWS,
  ...SEVERAL,
  ...REPLIES,
  ...STATUSES,
  ...SIZES,
  ...INPUT,
  ...STOPS,
];
