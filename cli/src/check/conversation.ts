/** What a server said about itself when it was greeted. */
export interface Greeting {
  readonly era: 'legacy' | 'modern';
  /** Revisions of the protocol: the negotiated one, or all that a modern server names. */
  readonly revisions: readonly string[];
  readonly server: { readonly name?: string; readonly version?: string };
  readonly capabilities: Readonly<Record<string, unknown>>;
  readonly instructions?: string;
}

/** A server that has been greeted, ready for more questions. */
export interface Conversation {
  readonly greeting: Greeting;
  /** Asks for one result. Rejects with what the server, or mcp-connect, said instead. */
  request(method: string, params?: Readonly<Record<string, unknown>>): Promise<Record<string, unknown>>;
  /**
   * Looks for the stream on which the server tells news.
   *
   * @returns what it found, in a few words; undefined when there is none
   */
  news(): Promise<string | undefined>;
  close(): Promise<void>;
}
