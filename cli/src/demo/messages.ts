import { SEVERITIES, type Severity } from '@mcp-connect/core';

/** The parameters of one `notifications/message`. */
export interface LogMessage {
  readonly level: Severity;
  readonly logger: string;
  readonly data: string;
}

/** Makes the demo's log messages: each at the level that follows on the last one's. */
export function demoMessages(count: number): LogMessage[] {
  return Array.from({ length: count }, (_, at) => ({
    level: SEVERITIES[at % SEVERITIES.length]!,
    logger: 'notification-demo',
    data: `Notification ${at + 1} of ${count}`,
  }));
}
