import { definePlugin, type Credentials, type Endpoint } from '@mcp-connect/core';
import { accountsFor } from './accounts.js';
import { declare, extensionOf } from './extension.js';
import { FLAGS, readConfig } from './flags.js';
import type { Account } from './model.js';
import { answeringMeanwhile } from './pending.js';

const NAME = '@mcp-connect/auth-oauth';

/** Behind the plugins that set headers: a given Authorization header means no sign-in, whatever the order of loading. */
const LAST = 200;

/** Signs in where a server asks for it (MCP basic/authorization). Until one does, nothing is loaded. */
export default definePlugin({
  name: NAME,
  provides: { hooks: ['authenticate', 'beforeSend', 'openTransport'] },
  flags: FLAGS,
  apply({ hooks, settings, log }, flags) {
    const config = readConfig(flags);
    log.hide(config.clientSecret, config.idp?.clientSecret);
    const accounts = accountsFor({
      config,
      settings,
      log,
      browser: !flags['no-browser'],
    });
    hooks.authenticate.tap({ name: NAME, stage: LAST }, (credentials, endpoint) => {
      if (!isWeb(endpoint) || credentials.headers['authorization'] !== undefined) return undefined;
      return sign(accounts.get(endpoint), credentials);
    });
    const extension = extensionOf(config.grant);
    if (extension !== undefined) hooks.beforeSend.tap(NAME, (message) => declare(message, extension));
    if (flags['auth-wait']) return;
    // Outermost: whatever else wraps a channel has to hear of refusals, and of nothing that only stands in.
    hooks.openTransport.tap({ name: NAME, stage: LAST }, (open, endpoint) =>
      isWeb(endpoint) ? answeringMeanwhile(open, accounts.get(endpoint)) : undefined,
    );
  },
});

function isWeb({ url }: Endpoint): boolean {
  return url?.protocol === 'http:' || url?.protocol === 'https:';
}

function sign(account: Account, credentials: Credentials): void | Promise<void> {
  const { challenge, refused } = credentials;
  if (challenge === undefined) return account.sign(credentials);
  return account.answer(challenge, refused).then(() => account.sign(credentials));
}
