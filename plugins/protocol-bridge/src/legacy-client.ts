import type { Envelope } from '@mcp-connect/core';
import type { Answer } from './direction.js';
import type { Discovered } from './era.js';
import { isObject, paramsOf } from './messages.js';
import { INVALID_PARAMS, LEGACY, MODERN, SERVER_INFO_KEY, TASKS } from './modern.js';

/** A revision that begins with `initialize`. */
export type LegacyRevision = (typeof LEGACY)[number];

/** A legacy client, as its `initialize` shows it. */
export interface LegacyClient {
  /** The revision in which it is answered. */
  readonly revision: LegacyRevision;
  /** Its capabilities as a modern server is told them. */
  readonly capabilities: Readonly<Record<string, unknown>>;
  readonly info: unknown;
}

/** Reads who the client is out of its `initialize` (2025-11-25 basic/lifecycle). */
export function legacyClientOf(initialize: Envelope): LegacyClient {
  const { protocolVersion, capabilities, clientInfo } = paramsOf(initialize);
  const revision = LEGACY.find((known) => known === protocolVersion) ?? LEGACY[0];
  // Tasks of that revision are another thing, and roots that change have no way to say so.
  const { tasks: _, ...declared } = isObject(capabilities) ? capabilities : {};
  const roots = isObject(declared['roots']) ? { roots: {} } : {};
  // Tasks of the modern kind are followed here, within the call.
  const extensions = { ...(declared['extensions'] as object | undefined), [TASKS]: {} };
  return { revision, capabilities: { ...declared, ...roots, extensions }, info: clientInfo };
}

/** True when `revision` is `other` or newer. */
export function isFrom(revision: LegacyRevision, other: LegacyRevision): boolean {
  return revision >= other;
}

/** Answers `initialize` with what a modern server says of itself (2025-11-25 basic/lifecycle, Initialization). */
export function initializeResult(
  { revision }: LegacyClient,
  { supportedVersions, capabilities = {}, instructions, ...discovered }: Discovered,
  label: string,
): Answer {
  if (!supportedVersions.includes(MODERN)) {
    const data = { supported: supportedVersions };
    return { error: { code: INVALID_PARAMS, message: 'Unsupported protocol version', data } };
  }
  const { tasks: _tasks, completions, extensions, ...offered } = capabilities;
  // The extension must not be taken for the tasks of older revisions (SEP-2663, Backward Compatibility).
  const { [TASKS]: _extension, ...extending } = isObject(extensions) ? extensions : {};
  const completing = completions !== undefined && isFrom(revision, '2025-03-26');
  return {
    result: {
      protocolVersion: revision,
      capabilities: {
        ...offered,
        ...(completing && { completions }),
        ...(Object.keys(extending).length > 0 && { extensions: extending }),
      },
      serverInfo: discovered._meta?.[SERVER_INFO_KEY] ??
        discovered.serverInfo ?? { name: label, version: '0' },
      ...(instructions !== undefined && { instructions }),
    },
  };
}
