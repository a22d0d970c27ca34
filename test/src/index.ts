export { testTransport } from './transport.js';
export type { RegisterTest, TransportSuiteOptions, TransportSupport } from './transport.js';
export { testPlugin, type PluginSuiteOptions } from './plugin.js';
export { testAuth, type AuthSuiteOptions, type AuthSupport } from './auth.js';
export {
  testStrategy,
  type StrategySetup,
  type StrategySuiteOptions,
  type StrategySupport,
} from './strategy.js';
export { transportOf } from './kinds.js';
export { memoryTransport, type MemoryTransport } from './memory.js';
export type { PeerHandler, PeerMessage, Say, Served } from './peer.js';
export {
  cut,
  defaultOutcome,
  end,
  hang,
  inTurn,
  listen,
  poll,
  raw,
  reply,
  replyError,
  replySse,
  status,
} from './script.js';
export type { Outcome, ReplyOptions, Script, ScriptedServer } from './script.js';
export { scriptedStdio, scriptedTcp, type ScriptedLinesOptions } from './scripted-lines.js';
export { scriptedHttp, type ScriptedHttpOptions } from './scripted-http.js';
export { serveHttp } from './http-peer.js';
export { serveStdio } from './stdio-peer.js';
export { serveTcp } from './tcp-peer.js';
