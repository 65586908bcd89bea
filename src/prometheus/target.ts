/** What the client needs of one endpoint, computed once: paths, headers, and which words must never be shown. */
import type { MetricEndpoint } from '#ports/metric-source.ts';
import { parsePrometheusUrl } from './url.ts';

export interface Target {
  /** Short name of the endpoint inside this process, for keys. */
  readonly id: number;
  readonly endpoint: MetricEndpoint;
  readonly origin: string;
  /** Equal for endpoints that may share connections. Made once, since it contains whole certificates. */
  readonly connectionKey: string;
  readonly paths: { readonly instant: string; readonly range: string };
  /** Of an API beside the queries, such as `targets`. */
  readonly listPath: (name: string, fields: string) => string;
  readonly headers: Readonly<Record<string, string>>;
  /** For messages: no user, no query parameters. */
  readonly shown: string;
  /** Takes every secret of this endpoint out of a text that came from outside. */
  readonly redact: (text: string) => string;
}

export type TargetResult =
  | { readonly type: 'ok'; readonly target: Target }
  | { readonly type: 'invalid'; readonly message: string };

/** Fewer characters than these say nothing, and would blot out half of every message. */
const SECRET_LENGTH_MIN = 4;

export function createTarget(endpoint: MetricEndpoint, id: number): TargetResult {
  const parsed = parsePrometheusUrl(endpoint.url);
  if (parsed.type === 'invalid') return parsed;
  const { url } = parsed;
  const prefix = url.pathname.replace(/\/+$/, '');
  return {
    type: 'ok',
    target: {
      id,
      endpoint,
      origin: url.origin,
      connectionKey: JSON.stringify([url.origin, endpoint.tls]),
      paths: {
        instant: `${prefix}/api/v1/query${url.search}`,
        range: `${prefix}/api/v1/query_range${url.search}`,
      },
      listPath: (name, fields) => {
        const search = [url.search.slice(1), fields].filter((part) => part !== '').join('&');
        return `${prefix}/api/v1/${name}${search === '' ? '' : `?${search}`}`;
      },
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

function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
}

/** A proxy's error page may well repeat what we sent. */
function secretsOf(endpoint: MetricEndpoint, url: URL): string[] {
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
