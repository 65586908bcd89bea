/**
 * What may stand as the address of a server. Whoever may create a rollout chooses where the operator sends requests, so
 * only http and https are taken, redirects are never followed, and answers are shown only in short excerpts.
 */

export type UrlResult =
  | { readonly type: 'ok'; readonly url: URL }
  | { readonly type: 'invalid'; readonly message: string };

export function parseServerUrl(text: string): UrlResult {
  if (!URL.canParse(text)) {
    return invalid(`${quoted(text)} is not a URL; write for example "http://prometheus:9090"`);
  }
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    return invalid(
      `${quoted(text)} has the scheme ${url.protocol.slice(0, -1)}; http and https are allowed`,
    );
  }
  if (url.username !== '' || url.password !== '') {
    return invalid(
      `the URL of ${url.host} contains a user or password; use basicAuth with a Secret`,
    );
  }
  if (url.hash !== '') return invalid(`${quoted(text)} has a fragment (#…); leave it out`);
  return { type: 'ok', url };
}

function quoted(text: string): string {
  // A scheme-less "user:password@host" is not a URL, and must not be repeated either.
  return text.includes('@')
    ? 'it (not shown, as it contains "@")'
    : JSON.stringify(text.slice(0, 200));
}

function invalid(message: string): UrlResult {
  return { type: 'invalid', message };
}
