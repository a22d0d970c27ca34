import { spawnSync } from 'node:child_process';
import { step } from './steps.mjs';

/** What the tests of completion type into. */
const PROGRAMS = { bash: '--version', zsh: '--version', tmux: '-V' };

/** Installs the shells that are missing, where this machine has a packager for them. Returns whether all are there. */
export function shells() {
  const missing = Object.entries(PROGRAMS).filter(([name, flag]) => spawnSync(name, [flag]).status !== 0);
  if (missing.length === 0) return true;
  const names = missing.map(([name]) => name).join(' ');
  const sudo = process.getuid?.() === 0 ? '' : 'sudo -n ';
  const install = `${sudo}apt-get install -y --no-install-recommends ${names}`;
  return step('shells', 'sh', ['-c', `${install} || { ${sudo}apt-get update && ${install}; }`]);
}
