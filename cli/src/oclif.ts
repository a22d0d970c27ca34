import { fileURLToPath } from 'node:url';
import { ConnectorError } from '@mcp-connect/core';
import { flush } from '@oclif/core/flush';
import { handle } from '@oclif/core/handle';
import { run } from '@oclif/core/run';
import { settings } from '@oclif/core/settings';

/**
 * Runs a command line through oclif, which reports its own failures and then ends the process.
 *
 * @throws ConnectorError where one of our commands failed
 */
export async function runOclif(argv: readonly string[]): Promise<void> {
  // MCP hosts pass their NODE_ENV on, and with `development` oclif would look for a TypeScript compiler.
  settings.enableAutoTranspile = false;
  try {
    await run([...argv], { root: fileURLToPath(new URL('..', import.meta.url)) });
    await flush();
  } catch (error) {
    if (error instanceof ConnectorError) throw error;
    await handle(error as Error);
  }
}
