import { createHash } from 'node:crypto';

/** How a sign-in ended, as far as the browser tells. */
export type Ending = 'signed-in' | 'refused' | 'stranger';

const TEXTS: Readonly<Record<Ending, { readonly title: string; readonly text: string }>> = {
  'signed-in': {
    title: 'You can close this page',
    text: 'mcp-connect has your answer and finishes the sign-in. Go back to your application.',
  },
  refused: {
    title: 'The sign-in was not granted',
    text: 'mcp-connect has been told. Go back to your application to see why, or to try again.',
  },
  stranger: {
    title: 'This page belongs to no sign-in',
    text: 'No sign-in that is under way leads here. It may be an old link: start the sign-in again from your application.',
  },
};

/** Takes the code out of the address bar and the history. */
const FORGET = "history.replaceState(null, '', '/')";
const FORGET_HASH = createHash('sha256').update(FORGET).digest('base64');

/** Headers of the page: nothing of it is loaded from, told to or kept by anyone. */
export const PAGE_HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy': `default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-${FORGET_HASH}'; frame-ancestors 'none'`,
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
} as const;

/**
 * Makes the page that the browser shows at the end. It holds nothing of the request: no code, and no text of whoever
 * sent the browser.
 */
export function pageOf(ending: Ending): string {
  const { title, text } = TEXTS[ending];
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>
body { font: 1.1rem/1.5 system-ui, sans-serif; margin: 18vh auto 0; max-width: 34rem; padding: 0 1.5rem; }
h1 { font-size: 1.5rem; }
</style>
<h1>${title}</h1>
<p>${text}</p>
<script>${FORGET}</script>
</html>
`;
}
