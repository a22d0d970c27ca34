/** Methods of the console that write to stdout. */
const TO_STDOUT = ['log', 'info', 'debug', 'dir', 'table', 'group', 'timeEnd', 'timeLog', 'count'] as const;

/**
 * Sends what plugins and their packages print with `console` to stderr: stdout is for MCP messages alone
 * (MCP basic/transports, stdio). Returns how to undo it.
 */
export function consoleToStderr(): () => void {
  const originals = TO_STDOUT.map((method) => [method, console[method]] as const);
  const { error } = console;
  for (const method of TO_STDOUT) Object.assign(console, { [method]: error });
  return () => {
    for (const [method, original] of originals) Object.assign(console, { [method]: original });
  };
}
