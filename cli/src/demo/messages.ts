/** The levels of log messages from the least to the most severe (2025-11-25 server/utilities/logging). */
export const LEVELS = [
  'debug',
  'info',
  'notice',
  'warning',
  'error',
  'critical',
  'alert',
  'emergency',
] as const;

/** The parameters of one `notifications/message`. */
export interface LogMessage {
  readonly level: (typeof LEVELS)[number];
  readonly logger: string;
  readonly data: string;
}

/** Makes the demo's log messages: each at the level that follows on the last one's. */
export function demoMessages(count: number): LogMessage[] {
  return Array.from({ length: count }, (_, at) => ({
    level: LEVELS[at % LEVELS.length]!,
    logger: 'notification-demo',
    data: `Notification ${at + 1} of ${count}`,
  }));
}
