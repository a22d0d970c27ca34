import type { Flags } from '@mcp-connect/core';
import { COMMON_FLAGS, JSON_FLAG } from './flags.js';
import { LOAD_BALANCE_FLAGS, PROXY_FLAGS } from './serving.js';

/** What the commands that look at servers have in common: they answer sooner, and for programs too. */
const CHECK_FLAGS = {
  transport: LOAD_BALANCE_FLAGS.transport,
  ...COMMON_FLAGS,
  timeout: { ...COMMON_FLAGS.timeout, default: 10 },
  ...JSON_FLAG,
} as const satisfies Flags;

/** The flags of `test`. */
export const TEST_FLAGS = {
  endpoint: PROXY_FLAGS.endpoint,
  ...CHECK_FLAGS,
  call: {
    type: 'string',
    summary: 'Tool to call once all else has been looked at.',
    env: 'MCP_CONNECT_CALL',
    valueName: 'TOOL',
  },
  args: {
    type: 'string',
    summary: 'Arguments of the tool of --call, as a JSON object.',
    env: 'MCP_CONNECT_ARGS',
    valueName: 'JSON',
    default: '{}',
  },
} as const satisfies Flags;

/** The flags of `doctor`. */
export const DOCTOR_FLAGS = {
  endpoint: PROXY_FLAGS.endpoint,
  endpoints: LOAD_BALANCE_FLAGS.endpoints,
  ...CHECK_FLAGS,
} as const satisfies Flags;
