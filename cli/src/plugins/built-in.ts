/**
 * The plugins that come with mcp-connect. Their names are written out so that the bundle can carry their code; from
 * here on they take the same way as every other plugin.
 */
export const BUILT_IN: Readonly<Record<string, () => Promise<{ default: unknown }>>> = {
  '@mcp-connect/transport-http': () => import('@mcp-connect/transport-http'),
  '@mcp-connect/transport-stdio': () => import('@mcp-connect/transport-stdio'),
  '@mcp-connect/transport-tcp': () => import('@mcp-connect/transport-tcp'),
  '@mcp-connect/auth-bearer': () => import('@mcp-connect/auth-bearer'),
  '@mcp-connect/auth-header': () => import('@mcp-connect/auth-header'),
  '@mcp-connect/auth-oauth': () => import('@mcp-connect/auth-oauth'),
  '@mcp-connect/protocol-bridge': () => import('@mcp-connect/protocol-bridge'),
  '@mcp-connect/strategy-fallback': () => import('@mcp-connect/strategy-fallback'),
  '@mcp-connect/strategy-round-robin': () => import('@mcp-connect/strategy-round-robin'),
};
