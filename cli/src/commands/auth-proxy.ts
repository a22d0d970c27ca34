import { builtInFlags, ServeCommand } from '../command-line/base.js';
import { MODES } from '../command-line/modes.js';

const flags = await builtInFlags(MODES['auth-proxy']);

/** `mcp-connect auth-proxy` */
export default class AuthProxyCommand extends ServeCommand {
  static override summary = 'Connect an MCP client to a server whose authorization server is known by hand.';

  static override description = `Whatever is left out is found out: mcp-connect proxy signs in by itself when a server asks for it. Without --client-id
a client is registered there, which needs its addresses to be looked up: --token-url comes with --client-id.
Text values may hold \${NAME} for the value of an environment variable.`;

  static override examples = [
    '<%= config.bin %> <%= command.id %> --endpoint https://example.com/mcp --client-id ID --client-secret "${SECRET}" --auth-url https://example.com/oauth/authorize --token-url https://example.com/oauth/token --redirect-url http://localhost:8080/callback --scopes "read,write"',
  ];

  static override usage = '<%= command.id %> --endpoint URL [FLAGS]';

  static override flags = flags;

  async run(): Promise<never> {
    return this.serve(MODES['auth-proxy']);
  }
}
