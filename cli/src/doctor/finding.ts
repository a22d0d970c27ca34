/** One thing that the doctor looked at. */
export interface Finding {
  readonly name: string;
  readonly status: 'ok' | 'warning' | 'failed';
  readonly text: string;
  /** The command to type next, or what else to do. */
  readonly next?: string;
}
