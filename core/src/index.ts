export { Connector, DEFAULT_SETTINGS, type ConnectorOptions } from './connector.js';
export { definePlugin } from './plugin.js';
export { pluginFault } from './plugin-fault.js';
export type {
  BooleanFlag,
  Flag,
  Flags,
  FlagValues,
  IntegerFlag,
  Plugin,
  Provides,
  Registry,
  StringFlag,
} from './plugin.js';
export type {
  Answer,
  Attempt,
  Candidate,
  Exchange,
  Hooks,
  OpenTransport,
  OwnMessage,
  TapOptions,
} from './contract.js';
export type {
  AgentOptions,
  Credentials,
  MakeAgent,
  Settings,
  TlsSettings,
  Transport,
  TransportContext,
  TransportKind,
  WebRequest,
} from './transport.js';
export { commandEndpoint, namesTransport, parseEndpoint, type Endpoint } from './endpoint.js';
export { Assembler, Envelope, type Framing, type Line, type MessageKind } from './envelope.js';
export { causeCodeOf, ConnectorError, ERROR_CODES, reasonOf, toConnectorError } from './errors.js';
export type { Challenge, ConnectorErrorOptions, Delivered, ErrorCode } from './errors.js';
export {
  createLog,
  LOG_LEVELS,
  type Log,
  type LogLevel,
  type LogLine,
  type LogOptions,
  type LogRecord,
} from './log.js';
export { LogMessages, type LogAudience, type LogClient, type LogMessagesOptions } from './log-messages.js';
export { writeLossy } from './lossy.js';
export { LineSplitter, LineWriter, type LineSplitterOptions } from './lines.js';
export { heed, type HeldStream } from './heed.js';
export { InFlight } from './in-flight.js';
export { LineChannel, type LineChannelOptions } from './channel.js';
export { outlineOf, Outliner, type Outline } from './scan.js';
export { serveClient, type ClientStreams, type Serving } from './client.js';
export { atMost } from './waiting.js';
export type { Clock } from './wake.js';
export { runtimeDir, stateDir, writePrivately, type StatePlace } from './state.js';
export { fromSdkTransport, type SdkTransport } from './sdk.js';
export type { Client, Pipeline } from './pipeline.js';
export { cancellation, cancelledId, keyOf, refusal, type ErrorData } from './reply.js';
export type { RetryTools } from './retry.js';
export type { Affinity } from './router.js';
export type { EquivalenceMode } from './equivalence.js';
export { isSeverity, SEVERITIES, type Severity } from './severity.js';
export type { EndpointSource, StopFollowing } from './sources.js';
export type { LegStatus } from './legs.js';
export type { JSONRPCMessage, RequestId } from '@modelcontextprotocol/sdk/types.js';
export { agentFor, poolOptions } from './agent.js';
export { splitCommand, type SplitOptions } from './command.js';
export { endGroup } from './group.js';
export { inTime } from './in-time.js';
export { isLoopback } from './loopback.js';
export { makeFolder } from './folder.js';
export { outputOf, type RunOptions } from './program.js';
export { randomId } from './random.js';
export { tlsFailureOf, tlsFaultOf, type TlsFailure, type TlsFault } from './tls-failure.js';
export { expandVariables, type ExpandOptions } from './variables.js';
