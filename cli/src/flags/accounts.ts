import type { Flags } from '@mcp-connect/core';
import { JSON_FLAG } from './flags.js';
import { PROXY_FLAGS } from './serving.js';

/** The flags of `login`: those of `proxy`, so that a line that works there works here. */
export const LOGIN_FLAGS = { ...PROXY_FLAGS, ...JSON_FLAG } as const satisfies Flags;

/** The flags of `logout`. */
export const LOGOUT_FLAGS = {
  ...LOGIN_FLAGS,
  all: {
    type: 'boolean',
    summary: 'End every sign-in, of all servers and profiles.',
    env: 'MCP_CONNECT_LOGOUT_ALL',
  },
} as const satisfies Flags;

/** The flags of `whoami`. */
export const WHOAMI_FLAGS = {
  ...LOGIN_FLAGS,
  verify: {
    type: 'boolean',
    summary: 'Ask the servers whether they still take the sign-ins.',
    env: 'MCP_CONNECT_VERIFY',
  },
} as const satisfies Flags;
