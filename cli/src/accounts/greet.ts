import {
  ConnectorError,
  Envelope,
  type Connector,
  type ErrorCode,
  type JSONRPCMessage,
} from '@mcp-connect/core';

const REVISION = '2025-11-25';

/** The body of an answer. */
interface Answer {
  readonly error?: {
    readonly message: string;
    readonly data?: { readonly source?: unknown; readonly code?: ErrorCode; readonly hint?: string };
  };
}

/**
 * Goes to a server as a client does: the handshake, then a request, since some servers ask for rights no earlier. What
 * the server answers does not matter, only that it does.
 *
 * @throws ConnectorError that kept the server from answering
 */
export async function greet(connector: Connector): Promise<void> {
  const waiting = new Map<unknown, (answer: Envelope) => void>();
  const pipeline = connector.connect({ deliver: (envelope) => waiting.get(envelope.id)?.(envelope) });
  const say = (message: object): void =>
    void pipeline.accept(Envelope.of({ jsonrpc: '2.0', ...message } as JSONRPCMessage));
  const ask = async (id: number, method: string, params: object): Promise<void> => {
    const answer = new Promise<Envelope>((resolve) => waiting.set(id, resolve));
    say({ id, method, params });
    const { error } = (await answer).message as Answer;
    if (error?.data?.source !== 'mcp-connect') return;
    const { code = 'MCPC_CONNECT', hint } = error.data;
    throw new ConnectorError(code, error.message, hint === undefined ? {} : { hint });
  };
  try {
    const clientInfo = { name: 'mcp-connect', version: '1' };
    await ask(1, 'initialize', { protocolVersion: REVISION, capabilities: {}, clientInfo });
    say({ method: 'notifications/initialized' });
    await ask(2, 'tools/list', {});
  } finally {
    await pipeline.close();
  }
}
