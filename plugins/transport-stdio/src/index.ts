import { statSync } from 'node:fs';
import path from 'node:path';
import { ConnectorError, definePlugin, type Endpoint } from '@mcp-connect/core';
import { checkProgram, wordsOf } from './command.js';
import { environmentOf } from './environment.js';
import { RestartLadder } from './ladder.js';

/** Connects to MCP servers that are programs on this machine: `stdio:command args`, or exact words after `--`. */
export default definePlugin({
  name: '@mcp-connect/transport-stdio',
  provides: { schemes: ['stdio'] },
  flags: {
    'stdio-env': {
      type: 'string',
      pairs: '=',
      multiple: true,
      secret: true,
      env: 'MCP_CONNECT_STDIO_ENV',
      valueName: 'NAME=VALUE',
      summary: 'Environment variable to set for the program; may be repeated.',
    },
    'stdio-clean-env': {
      type: 'boolean',
      env: 'MCP_CONNECT_STDIO_CLEAN_ENV',
      summary: 'Hand the program only PATH, HOME and the like of our environment.',
    },
    'stdio-cwd': {
      type: 'string',
      path: true,
      env: 'MCP_CONNECT_STDIO_CWD',
      valueName: 'DIR',
      summary: 'Directory in which the program runs.',
    },
  },
  apply(connector, options) {
    const cwd = path.resolve(options['stdio-cwd'] ?? '.');
    const { env, secrets } = environmentOf(process.env, {
      set: options['stdio-env'],
      clean: options['stdio-clean-env'],
    });
    connector.log.hide(...secrets);
    const ladders = new Map<Endpoint, RestartLadder>();
    const running = new Set<() => void>();
    // Where there is no time for an orderly end, as after a third signal, no program outlives this process either.
    const endAll = (): void => running.forEach((kill) => kill());
    connector.transport('stdio', {
      validate(endpoint) {
        checkDirectory(cwd);
        checkProgram(wordsOf(endpoint)[0], { cwd, env });
      },
      async open(context) {
        const { endpoint } = context;
        const ladder = ladders.get(endpoint) ?? new RestartLadder();
        ladders.set(endpoint, ladder);
        await ladder.climb(context.signal);
        const { startProgram } = await import('./program.js');
        const onclose = (error?: ConnectorError): void => {
          if (error !== undefined) ladder.fell(error);
          context.onclose(error);
        };
        process.off('exit', endAll).once('exit', endAll);
        return startProgram({ ...context, onclose }, { cwd, env, stderr: process.stderr, running });
      },
    });
  },
});

function checkDirectory(cwd: string): void {
  if (isDirectory(cwd)) return;
  throw new ConnectorError('MCPC_USAGE', `The directory ${cwd} of --stdio-cwd does not exist.`, {
    hint: 'Create it, or name another one with --stdio-cwd DIR',
  });
}

function isDirectory(file: string): boolean {
  try {
    return statSync(file).isDirectory();
  } catch {
    return false;
  }
}
