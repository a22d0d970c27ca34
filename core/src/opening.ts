import type { RequestId } from '@modelcontextprotocol/sdk/types.js';
import type { Endpoint } from './endpoint.js';
import { ConnectorError, toConnectorError } from './errors.js';
import type { Hooks, OpenTransport } from './contract.js';
import { runHook } from './hooks.js';
import type { Log } from './log.js';
import type { Settings, Transport, TransportContext } from './transport.js';
import { within } from './waiting.js';

/** Where a channel leads, and what opens it. */
export interface OpeningOptions {
  readonly endpoint: Endpoint;
  readonly open: OpenTransport;
  readonly hooks: Hooks;
  readonly settings: Settings;
  readonly log: Log;
  /** Aborts when there is no time left for an orderly end. */
  readonly hurry: AbortSignal;
}

/** What an open channel asks and tells. */
export interface ChannelEvents extends Pick<TransportContext, 'credentials' | 'onmessage' | 'onmissed'> {
  onlost(id: RequestId, error: ConnectorError): void;
  onalive(id: RequestId | undefined): void;
  /** The server has forgotten the session of this channel. */
  onforgotten(transport: Transport | undefined): void;
  /** This channel is gone; undefined where it was never handed over. */
  onclose(transport: Transport | undefined, error: ConnectorError | undefined): void;
}

/**
 * Opens a channel before the signal aborts. A transport that ignores the signal and opens too late is closed again.
 *
 * @throws ConnectorError as the transport says, or the signal's reason, as a rejection
 */
export async function openChannel(
  options: OpeningOptions,
  events: ChannelEvents,
  signal: AbortSignal,
): Promise<Transport> {
  const opening = open(options, events, signal);
  try {
    return await within(signal, opening);
  } catch (error) {
    opening.then((late) => late.close()).catch(() => undefined);
    throw error;
  }
}

async function open(options: OpeningOptions, events: ChannelEvents, signal: AbortSignal): Promise<Transport> {
  const { endpoint, hooks, settings, log, hurry } = options;
  // A channel may close before it is handed over.
  const opened: { transport?: Transport } = {};
  let lost: { error: ConnectorError | undefined } | undefined;
  const opener = (await runHook(hooks.openTransport, options.open, endpoint)) ?? options.open;
  const transport = await opener({
    endpoint,
    settings,
    log,
    signal,
    hurry,
    credentials: events.credentials,
    onmessage: events.onmessage,
    onmissed: events.onmissed,
    onlost: (id, reason) => events.onlost(id, lossOf(reason)),
    onforgotten: () => events.onforgotten(opened.transport),
    ...(settings.requestTimeout !== undefined && { onalive: events.onalive }),
    onclose: (reason) => {
      const error = reason === undefined ? undefined : lossOf(reason);
      lost = { error };
      events.onclose(opened.transport, error);
    },
  });
  opened.transport = transport;
  if (lost === undefined) return transport;
  await transport.close();
  throw lost.error ?? new ConnectorError('MCPC_CONNECT', `${endpoint.label} closed the connection at once.`);
}

/** A transport of a plugin may report any error; one that says nothing of its effect may have had one. */
function lossOf(reason: unknown): ConnectorError {
  return toConnectorError(reason, 'MCPC_CONNECTION_LOST', { delivered: 'unknown' });
}
