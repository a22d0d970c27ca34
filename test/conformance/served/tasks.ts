import { fileURLToPath } from 'node:url';
import { localProgram } from '../../e2e/servers.js';
import { runExtensionScenario } from '../harness.js';
import { serveFront } from './front.js';

/**
 * The scenarios of the extension for tasks, which are run against a legacy server with tasks of its own, with the checks
 * that fail: a client without the extension gets its result in the end, and not a word of a task; and a legacy server
 * asks nothing before it makes one.
 */
export const TASKS: Readonly<Record<string, readonly string[]>> = {
  'tasks-lifecycle': [],
  'tasks-capability-negotiation': [],
  'tasks-wire-fields': [],
  'tasks-request-state-removal': [],
  'tasks-mrtr-input': [],
  'tasks-request-headers': [],
  'tasks-dispatch-and-envelope': [],
  'tasks-required-task-error': ['Sep2663ServerReturnsMissingCapabilityWhenRequired'],
  'tasks-mrtr-composition': ['Sep2663MrtrSynchronousBeforeTaskCreation'],
};

const PROGRAM = fileURLToPath(new URL('tasks-stdio.js', import.meta.url));

/** Runs a scenario of tasks against mcp-connect, and returns how many checks were passed and which ones were not. */
export async function playTasks(scenario: string): Promise<{ passed: number; failed: readonly string[] }> {
  const { args } = localProgram(process.execPath, PROGRAM);
  const front = await serveFront({ revision: '2026-07-28', server: 'legacy', wire: 'stdio' }, args);
  try {
    const checks = await runExtensionScenario(front.url, scenario);
    return {
      passed: checks.filter(({ status }) => status === 'SUCCESS').length,
      failed: checks
        .filter(({ status }) => status === 'FAILURE' || status === 'WARNING')
        .map(({ name }) => name),
    };
  } finally {
    await front.close();
  }
}
