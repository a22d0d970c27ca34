import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Desk } from '../e2e/desk.js';

/** What the harness tells a client about itself. */
interface Context {
  readonly client_id?: string;
  readonly client_secret?: string;
  readonly private_key_pem?: string;
  readonly idp_client_id?: string;
  readonly idp_id_token?: string;
  readonly idp_token_endpoint?: string;
  readonly valid_jwt?: string;
}

/** The document that the harness knows for a client without registration. */
const METADATA_URL = 'https://conformance-test.local/client-metadata.json';

/** Flags that a scenario needs beside those that follow from its context. */
const MORE_FLAGS: Readonly<Record<string, readonly string[]>> = {
  'auth/basic-cimd': ['--oauth-client-metadata-url', METADATA_URL],
  'auth/client-credentials-jwt': ['--oauth-grant', 'client-credentials'],
  'auth/client-credentials-basic': ['--oauth-grant', 'client-credentials'],
  'auth/enterprise-managed-authorization': ['--oauth-grant', 'enterprise'],
  'auth/wif-jwt-bearer': ['--oauth-grant', 'workload-identity'],
  'auth/dpop': ['--oauth-dpop'],
  'auth/dpop-nonce': ['--oauth-dpop'],
};

/** Returns the flags with which a user would sign in where a scenario asks for it; none for other scenarios. */
export async function signInFlags(scenario: string, env: NodeJS.ProcessEnv, desk: Desk): Promise<string[]> {
  if (!scenario.startsWith('auth/')) return [];
  const context = JSON.parse(env['MCP_CONFORMANCE_CONTEXT'] ?? '{}') as Context;
  const file = async (name: string, text: string | undefined): Promise<string | undefined> => {
    if (text === undefined) return undefined;
    const path = join(desk.folder, name);
    await writeFile(path, text);
    return path;
  };
  const values = {
    'oauth-client-id': context.client_id,
    'oauth-client-secret': context.client_secret,
    'oauth-private-key': await file('key.pem', context.private_key_pem),
    'oauth-assertion-file': await file('assertion', context.idp_id_token ?? context.valid_jwt),
    'oauth-idp-client-id': context.idp_client_id,
    'oauth-idp-token-url': context.idp_token_endpoint,
  };
  const given = Object.entries(values).flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name}=${value}`],
  );
  return ['--auth-wait', ...(MORE_FLAGS[scenario] ?? []), ...given];
}
