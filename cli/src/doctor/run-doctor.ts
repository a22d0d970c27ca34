import { homedir } from 'node:os';
import { stateDir, type Plugin } from '@mcp-connect/core';
import type { CheckReport } from '../check/check.js';
import { examine, reported, styleFor, type RunCheckOptions } from '../check/run-test.js';
import { row } from '../check/table.js';
import { expandValues } from '../expand.js';
import type { Invocation } from '../proxy.js';
import { findPackage, pluginPlaces } from '../resolve.js';
import type { Finding } from './finding.js';
import {
  certificateFinding,
  clockFinding,
  nodeFinding,
  proxyFinding,
  signInFinding,
  stateFinding,
} from './machine.js';

/**
 * Runs `mcp-connect doctor`: what is found goes to stdout, everything else to stderr.
 *
 * @returns the exit code
 * @throws ConnectorError `MCPC_USAGE` when the log file cannot be written
 */
export async function runDoctor(invocation: Invocation, options: RunCheckOptions): Promise<number> {
  return reported(invocation, options, async (log, progress) => {
    const { stdout, env } = options.around;
    const { flags, values, words, mode } = invocation;
    const endpoints = mode.endpoints(expandValues(values, { flags, env, hide: log.hide }), words);
    progress.say(endpoints.length === 0 ? 'Looking at this machine' : 'Looking at the endpoints');
    const reports = await Promise.all(
      endpoints.map((endpoint) => {
        const alone = { ...invocation, mode: { ...mode, endpoints: () => [endpoint] } };
        return examine(alone, log, { ...options, what: { depth: 'greeting' } });
      }),
    );
    const state = stateDir({ env, platform: process.platform, home: homedir() });
    const clockAhead = reports.find((report) => report.clockAhead !== undefined)?.clockAhead;
    const findings = [
      nodeFinding(process.version, process.execPath),
      proxyFinding(env),
      certificateFinding(env),
      stateFinding(state, process.platform),
      signInFinding(state),
      pluginFinding(invocation.plugins, env),
      clockFinding(clockAhead, new Date()),
      ...reports.map(endpointFinding),
    ];
    const ok = findings.every(({ status }) => status !== 'failed');
    const shown = values['json']
      ? JSON.stringify({ ok, version: options.version, findings }, null, 2)
      : listed(findings, styleFor(stdout, env));
    return { ok, text: `${shown}\n` };
  });
}

function endpointFinding({ ok, endpoint, server, era, revisions, error, next }: CheckReport): Finding {
  if (!ok) return { name: endpoint, status: 'failed', text: error?.message ?? '', ...(next && { next }) };
  const who = [server?.name, server?.version].filter(Boolean).join(' ');
  return { name: endpoint, status: 'ok', text: `${who}, ${era} ${revisions?.join(', ')}` };
}

function pluginFinding(plugins: readonly Plugin[], env: RunCheckOptions['around']['env']): Finding {
  const { install } = pluginPlaces(env);
  const named = plugins.map(({ name }) => {
    const version = findPackage(name, install)?.manifest.version;
    return [name.replace(/^@mcp-connect\//, ''), version].filter(Boolean).join(' ');
  });
  return { name: 'plugins', status: 'ok', text: named.join(', ') };
}

function listed(findings: readonly Finding[], style: ReturnType<typeof styleFor>): string {
  const nameWidth = Math.max(...findings.map(({ name }) => name.length));
  return findings
    .flatMap((finding) => {
      const line = row(finding, nameWidth, style);
      return finding.next === undefined ? [line] : [line, `    ${' '.repeat(nameWidth)}  → ${finding.next}`];
    })
    .join('\n');
}
