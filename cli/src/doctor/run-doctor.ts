import { homedir } from 'node:os';
import { ConnectorError, reasonOf, stateDir, type Endpoint, type Log, type Plugin } from '@mcp-connect/core';
import type { CheckReport } from '../check/check.js';
import { examine, reported, styleFor, type RunCheckOptions } from '../check/run-test.js';
import { row } from '../check/table.js';
import type { Environment } from '../command-line/plain.js';
import { expandValues } from '../flags/expand.js';
import { findPackage, pluginPlaces } from '../plugins/resolve.js';
import type { Invocation } from '../serve/proxy.js';
import type { Finding } from './finding.js';
import {
  certificateFinding,
  clockFinding,
  nodeFinding,
  proxyFinding,
  signInFinding,
  stateFinding,
} from './machine.js';

/** What the doctor is asked to look at. */
export interface RunDoctorOptions extends RunCheckOptions {
  /** Why the configuration file could not be read. */
  readonly fault?: unknown;
  /** The command line as it is for each of the servers that the configuration file describes by name. */
  readonly servers?: Readonly<Record<string, Invocation>>;
}

/**
 * Runs `mcp-connect doctor`: what is found goes to stdout, everything else to stderr.
 *
 * @returns the exit code
 * @throws ConnectorError `MCPC_USAGE` when the log file cannot be written
 */
export async function runDoctor(invocation: Invocation, options: RunDoctorOptions): Promise<number> {
  return reported(invocation, options, async (log, { progress, opened }) => {
    const { stdout, env } = options.around;
    const { values } = invocation;
    progress.say('Looking at this machine and the endpoints');
    const looks = await Promise.all([
      lookAt(invocation),
      ...Object.entries(options.servers ?? {}).map(([name, one]) => lookAt({ ...one, words: [] }, name)),
    ]);
    const state = stateDir({ env, platform: process.platform, home: homedir() });
    const clockAhead = looks
      .flatMap(({ reports }) => reports)
      .find((report) => report.clockAhead !== undefined)?.clockAhead;
    const findings = [
      nodeFinding(process.version, process.execPath),
      proxyFinding(env),
      certificateFinding(env),
      stateFinding(state, process.platform),
      signInFinding(state),
      pluginFinding(invocation.plugins, env),
      ...configFindings(invocation, options.fault),
      clockFinding(clockAhead, new Date()),
      ...looks.flatMap((look) => look.findings),
    ];
    const ok = findings.every(({ status }) => status !== 'failed');
    const shown = values['json']
      ? JSON.stringify({ ok, version: options.version, findings }, null, 2)
      : listed(findings, styleFor(stdout, env));
    return { ok, text: `${shown}\n` };

    /** What is wrong with values of a file is one more thing to tell; what is on the line alone is told at once. */
    async function lookAt(one: Invocation, label?: string): Promise<Look> {
      try {
        const reports = await Promise.all(
          endpointsOf(one, env, log).map((endpoint) => {
            const alone = { ...one, warnings: [], mode: { ...one.mode, endpoints: () => [endpoint] } };
            return examine(alone, log, {
              ...options,
              opened,
              what: { depth: 'greeting' },
              ...(label !== undefined && { server: label }),
            });
          }),
        );
        return { reports, findings: reports.map((report) => endpointFinding(report, label)) };
      } catch (error) {
        if (one.file === undefined) throw error;
        const name = label === undefined ? 'endpoint' : `server ${label}`;
        return { reports: [], findings: [faultFinding(name, error)] };
      }
    }
  });
}

/** What was seen of the endpoints of one command line. */
interface Look {
  readonly reports: readonly CheckReport[];
  readonly findings: readonly Finding[];
}

function endpointsOf(
  { mode, flags, values, words }: Invocation,
  env: Environment,
  log: Log,
): readonly Endpoint[] {
  return mode.endpoints(expandValues(values, { flags, env, hide: log.hide }), words);
}

/** @param label the name of the server in the configuration file */
function endpointFinding(report: CheckReport, label?: string): Finding {
  const { ok, endpoint, server, era, revisions, error, next } = report;
  const name = label === undefined ? endpoint : `${label}: ${endpoint}`;
  if (!ok) return { name, status: 'failed', text: error?.message ?? '', ...(next && { next }) };
  const who = [server?.name, server?.version].filter(Boolean).join(' ');
  return { name, status: 'ok', text: `${who}, ${era} ${revisions?.join(', ')}` };
}

function configFindings({ file, warnings }: Invocation, fault: unknown): readonly Finding[] {
  const name = 'config file';
  if (fault !== undefined) return [faultFinding(name, fault)];
  if (file === undefined) return [];
  if (warnings.length === 0) return [{ name, status: 'ok', text: file }];
  return warnings.map((text) => ({ name, status: 'warning', text }));
}

function faultFinding(name: string, error: unknown): Finding {
  const hint = error instanceof ConnectorError ? error.hint : undefined;
  return { name, status: 'failed', text: reasonOf(error), ...(hint !== undefined && { next: hint }) };
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
