// The flags of commands that reach no server.
import type { Flags } from '@mcp-connect/core';
import { COMMON_FLAGS, JSON_FLAG, LONGEST_TIMER } from './flags.js';

/** The flags of `notification-demo`. */
export const DEMO_FLAGS = {
  count: {
    type: 'integer',
    summary: 'How many notifications are sent.',
    env: 'MCP_CONNECT_COUNT',
    valueName: 'NUMBER',
    default: 3,
    min: 1,
    max: 10_000,
  },
  interval: {
    type: 'integer',
    summary: 'Milliseconds between two notifications.',
    env: 'MCP_CONNECT_INTERVAL',
    valueName: 'MILLISECONDS',
    default: 1000,
    min: 0,
    max: LONGEST_TIMER,
  },
  debug: COMMON_FLAGS.debug,
  'log-level': COMMON_FLAGS['log-level'],
} as const satisfies Flags;

/**
 * The flags of `config` that are about a client's settings. They have no variables: they are about one change of one
 * file.
 */
export const CLIENT_FLAGS = {
  name: {
    type: 'string',
    summary: 'Name of the entry; that of --server, or one after the endpoint, unless given.',
    valueName: 'NAME',
  },
  scope: {
    type: 'string',
    summary: "Whose settings: the user's, or those of the project in this folder.",
    options: ['user', 'project'],
  },
  file: {
    type: 'string',
    summary: 'Settings file to change, in place of the usual one.',
    valueName: 'FILE',
  },
  write: { type: 'boolean', summary: 'Write the entry into the settings, and keep a copy of them.' },
  remove: {
    type: 'boolean',
    summary: 'Take the entry of --name out of the settings, and keep a copy of them.',
  },
  'dry-run': { type: 'boolean', summary: 'Show what --write or --remove would change, and change nothing.' },
  force: { type: 'boolean', summary: 'Replace another entry of the same name.' },
  json: { type: 'boolean', summary: 'Print the result as JSON.' },
} as const satisfies Flags;

/** The flags of `status`. */
export const STATUS_FLAGS = {
  json: { type: 'boolean', summary: 'Print JSON, one line a process.' },
} as const satisfies Flags;

/** The flags of `version`. */
export const VERSION_FLAGS = { ...JSON_FLAG } as const satisfies Flags;

/** The flags of `plugins`. */
export const PLUGINS_FLAGS = {
  plugin: {
    ...COMMON_FLAGS.plugin,
    summary: 'Plugin to list beside the others: a package or a path; may be repeated.',
  },
  ...JSON_FLAG,
} as const satisfies Flags;

/** The flags of `config schema`. */
export const CONFIG_SCHEMA_FLAGS = {
  plugin: {
    ...COMMON_FLAGS.plugin,
    summary: 'Plugin whose options the schema is to know, beside installed ones; may be repeated.',
  },
} as const satisfies Flags;

/** The flags of `plugins create`. */
export const PLUGINS_CREATE_FLAGS = {
  kind: {
    type: 'string',
    summary: 'What the plugin is; must be given.',
    options: ['transport', 'auth', 'strategy', 'hook'],
  },
  dir: {
    type: 'string',
    summary: 'Folder to write to; the name without its scope where not given.',
    valueName: 'FOLDER',
  },
} as const satisfies Flags;
