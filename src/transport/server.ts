/** What is needed of one endpoint to ask it, computed once: origin, path, headers, and which words must never be shown. */
import type { ServerEndpoint } from '#ports/server-endpoint.ts';
import { parseServerUrl } from './url.ts';

export interface Server {
  readonly origin: string;
  /** Of its path, without a slash at its end. */
  readonly prefix: string;
  /** Parameters that its url has, without the question mark. */
  readonly search: string;
  readonly tls: ServerEndpoint['tls'];
  /** Equal for endpoints that may share connections. Made once, since it contains whole certificates. */
  readonly connectionKey: string;
  readonly headers: Readonly<Record<string, string>>;
  /** For messages: no user, no query parameters. */
  readonly shown: string;
  /** Takes every secret of this endpoint out of a text that came from outside. */
  readonly redact: (text: string) => string;
}

export type ServerResult =
  | { readonly type: 'ok'; readonly server: Server }
  | { readonly type: 'invalid'; readonly message: string };

/** Fewer characters than these say nothing, and would blot out half of every message. */
const SECRET_LENGTH_MIN = 4;

export function createServer(endpoint: ServerEndpoint): ServerResult {
  const parsed = parseServerUrl(endpoint.url);
  if (parsed.type === 'invalid') return parsed;
  const { url } = parsed;
  const prefix = url.pathname.replace(/\/+$/, '');
  return {
    type: 'ok',
    server: {
      origin: url.origin,
      prefix,
      search: url.search.slice(1),
      tls: endpoint.tls,
      connectionKey: JSON.stringify([url.origin, endpoint.tls]),
      headers: {
        accept: 'application/json',
        'accept-encoding': 'identity',
        ...lowerCased(endpoint.headers),
      },
      shown: `${url.origin}${prefix}`,
      redact: createRedactor(secretsOf(endpoint, url)),
    },
  };
}

export type Fields = readonly (readonly [name: string, value: string])[];

/** As it stands in the request: a path below the server's own, parameters after the server's own. */
export function pathOf({ prefix, search }: Server, path: string, fields: Fields = []): string {
  const written = new URLSearchParams(
    fields.map(([name, value]): [string, string] => [name, value]),
  );
  const all = [search, written.toString()].filter((part) => part !== '').join('&');
  return `${prefix}${path}${all === '' ? '' : `?${all}`}`;
}

function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
}

/** A proxy's error page may well repeat what we sent. */
function secretsOf(endpoint: ServerEndpoint, url: URL): string[] {
  const secrets: string[] = [...url.searchParams.values()];
  for (const [name, value] of Object.entries(endpoint.headers)) {
    secrets.push(value);
    if (name.toLowerCase() !== 'authorization') continue;
    const [scheme = '', credentials = ''] = value.split(' ', 2);
    secrets.push(credentials);
    if (scheme.toLowerCase() !== 'basic') continue;
    const decoded = Buffer.from(credentials, 'base64').toString('utf8');
    secrets.push(decoded, decoded.slice(decoded.indexOf(':') + 1));
  }
  return secrets.filter((secret) => secret.length >= SECRET_LENGTH_MIN);
}

function createRedactor(secrets: readonly string[]): (text: string) => string {
  // The longest first, so that no part of one is left over by a shorter one.
  const ordered = [...secrets].sort((a, b) => b.length - a.length);
  return (text) => ordered.reduce((left, secret) => left.replaceAll(secret, '***'), text);
}
