import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { StoreKey } from './model.js';

/** Returns an endpoint's canonical URI: no user, password, query or fragment, and no slash where it says nothing. */
export function canonicalUri(endpoint: URL): string {
  const { origin, pathname } = endpoint;
  return pathname === '/' ? origin : origin + pathname;
}

/** Names the folder of the sign-ins below that of the program's state; undefined where nothing outlives a run. */
export function signInFolder(stateDir: string | undefined): string | undefined {
  return stateDir === undefined ? undefined : join(stateDir, 'oauth');
}

/** Names the file of a sign-in. Names are hashes: they tell nobody which servers are used. */
export function fileNameOf({ issuer, resource, profile }: StoreKey): string {
  return `${groupOf(resource, profile)}-${hashOf(issuer)}.json`;
}

/** The part of a file's name that all sign-ins of one server and profile share. */
export function groupOf(resource: string, profile: string): string {
  return hashOf(JSON.stringify([resource, profile]));
}

/** Shortens a text to a name for a file. */
export function hashOf(text: string): string {
  // Most runs have nothing to name, and `node:crypto` takes long to load.
  const { createHash } = process.getBuiltinModule('node:crypto');
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

/** Whether there is any sign-in for a server and profile. Only the names of files are looked at. */
export function hasSignIn(folder: string | undefined, endpoint: URL, profile: string): boolean {
  if (folder === undefined) return false;
  let names: readonly string[];
  try {
    names = readdirSync(folder);
  } catch {
    return false;
  }
  if (names.length === 0) return false;
  const group = groupOf(canonicalUri(endpoint), profile);
  return names.some((name) => name.startsWith(group));
}
