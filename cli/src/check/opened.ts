import { ConnectorError, type Plugin, type Transport } from '@mcp-connect/core';

const NAME = 'mcp-connect:opened';

/** The outermost wrapper: what is ended here is all of a channel. */
const LAST = 1_000;

/** Keeps hold of all that a command opens, so that no program which it started outlives it. */
export class Opened {
  readonly #transports = new Set<Transport>();
  #over = false;

  /** Returns the plugin that sees what is opened. */
  plugin(): Plugin {
    return {
      name: NAME,
      apply: ({ hooks }) => {
        hooks.openTransport.tap({ name: NAME, stage: LAST }, (open) => async (context) => {
          if (this.#over) throw new ConnectorError('MCPC_SHUTDOWN', 'mcp-connect is stopping.');
          const transport = await open(context);
          this.#transports.add(transport);
          if (this.#over) await transport.close();
          return transport;
        });
      },
    };
  }

  /** Ends all of it, and whatever is opened later. */
  async close(): Promise<void> {
    this.#over = true;
    await Promise.allSettled([...this.#transports].map((transport) => transport.close()));
  }
}
