import { spawnSync } from 'node:child_process';
import { step } from './steps.mjs';

/** What the tests use of the system: shells, a terminal and a forward proxy. */
const PROGRAMS = [
  { debian: 'bash', check: ['bash', '--version'] },
  { debian: 'zsh', check: ['zsh', '--version'] },
  { debian: 'tmux', check: ['tmux', '-V'] },
  // The program alone, without the service that the package `tinyproxy` starts.
  { debian: 'tinyproxy-bin', check: ['tinyproxy', '-v'] },
  // A library that gives one program names of its own; the loader complains where it is not there.
  {
    debian: 'libnss-wrapper',
    check: ['sh', '-c', 'test -z "$(LD_PRELOAD=libnss_wrapper.so ls / 2>&1 >/dev/null)"'],
  },
];

/** Installs the programs that are missing, where this machine has a packager for them. Returns whether all are there. */
export function programs() {
  const missing = PROGRAMS.filter(({ check: [name, ...args] }) => spawnSync(name, args).status !== 0);
  if (missing.length === 0) return true;
  const names = missing.map(({ debian }) => debian).join(' ');
  const sudo = process.getuid?.() === 0 ? '' : 'sudo -n ';
  const install = `${sudo}apt-get install -y --no-install-recommends ${names}`;
  return step('programs', 'sh', ['-c', `${install} || { ${sudo}apt-get update && ${install}; }`]);
}
