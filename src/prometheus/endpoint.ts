/**
 * From what a rollout says about its Prometheus, and what the operator has by default, to one endpoint with all secrets read.
 * Whoever writes a rollout must not get hold of the operator's own credentials: they are only ever sent to the
 * operator's own url, over the operator's own TLS settings.
 */
import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { PrometheusSpec } from '#api/analysis.ts';
import type { MetricEndpoint } from '#ports/metric-source.ts';
import { parseServerUrl } from '#transport/url.ts';

/** All entries of one Secret in the rollout's namespace, decoded; undefined when there is no such Secret. */
export type ReadSecret = (name: string) => Promise<Readonly<Record<string, string>> | undefined>;

export type EndpointResult =
  | { readonly type: 'ok'; readonly endpoint: MetricEndpoint }
  /** May mend itself, when a Secret appears. */
  | { readonly type: 'unresolved'; readonly message: string };

type SecretKey = NonNullable<PrometheusSpec['bearerToken']>;
type Tls = NonNullable<PrometheusSpec['tls']>;

class Unresolved extends Error {}

export async function resolveEndpoint(
  spec: PrometheusSpec | undefined,
  operatorDefault: MetricEndpoint | undefined,
  readSecret: ReadSecret,
): Promise<EndpointResult> {
  try {
    const values = createValues(readSecret);
    const endpoint =
      spec?.url === undefined
        ? await overlay(spec, operatorDefault, values)
        : await own({ ...spec, url: spec.url }, values);
    return { type: 'ok', endpoint };
  } catch (error) {
    if (!(error instanceof Unresolved)) throw error;
    return { type: 'unresolved', message: `analysis.prometheus${error.message}` };
  }
}

/** The value of one key; `field` is where it is asked for, as in `.bearerToken`. */
type ReadValue = (key: SecretKey, field: string) => Promise<string>;

function createValues(readSecret: ReadSecret): ReadValue {
  const secrets = new Map<string, ReturnType<ReadSecret>>();
  return async ({ name, key }, field) => {
    const reading = secrets.get(name) ?? readSecret(name);
    secrets.set(name, reading);
    const secret = await reading.catch((error: unknown) => {
      const words = error instanceof Error ? error.message : String(error);
      throw new Unresolved(`${field}: the Secret ${name} cannot be read: ${words}`);
    });
    if (!secret) throw new Unresolved(`${field}: there is no Secret ${name}`);
    const value = secret[key];
    if (value === undefined) {
      const keys = Object.keys(secret);
      const known = keys.length === 0 ? 'it is empty' : `it has ${keys.join(', ')}`;
      throw new Unresolved(`${field}: the Secret ${name} has no key ${key}; ${known}`);
    }
    if (value === '')
      throw new Unresolved(`${field}: the key ${key} of the Secret ${name} is empty`);
    return value;
  };
}

async function own(
  spec: PrometheusSpec & { url: string },
  read: ReadValue,
): Promise<MetricEndpoint> {
  const parsed = parseServerUrl(spec.url);
  if (parsed.type === 'invalid') throw new Unresolved(`.url: ${parsed.message}`);
  const headers = { ...(await ownHeaders(spec, read)), ...(await authorization(spec, read)) };
  return { url: spec.url, headers, tls: spec.tls ? await ownTls(spec.tls, read) : {} };
}

/** Without a url of its own a rollout may add headers and replace the credentials, but change nothing else. */
async function overlay(
  spec: PrometheusSpec | undefined,
  operatorDefault: MetricEndpoint | undefined,
  read: ReadValue,
): Promise<MetricEndpoint> {
  if (!operatorDefault) {
    throw new Unresolved(
      '.url is not set, and the operator was started without a Prometheus of its own',
    );
  }
  if (!spec) return operatorDefault;
  if (spec.tls)
    throw new Unresolved(
      ".tls needs .url as well; the operator's own Prometheus keeps the operator's own TLS settings",
    );
  const theirs = lowerCased(operatorDefault.headers);
  const added = await ownHeaders(spec, read);
  const clash = Object.keys(added).find((name) => name in theirs);
  if (clash !== undefined) {
    throw new Unresolved(
      `.headers: ${clash} is set by the operator; to send another value set .url and credentials as well`,
    );
  }
  const headers = { ...theirs, ...added, ...(await authorization(spec, read)) };
  return { ...operatorDefault, headers };
}

async function ownHeaders(spec: PrometheusSpec, read: ReadValue): Promise<Record<string, string>> {
  const headers: Record<string, string> = {};
  for (const { name, value, valueFrom } of spec.headers) {
    const field = `.headers[${name}]`;
    const written = valueFrom ? await read(valueFrom, field) : (value ?? '');
    headers[name.toLowerCase()] = oneLine(written, field);
  }
  return headers;
}

async function authorization(
  spec: PrometheusSpec,
  read: ReadValue,
): Promise<Record<string, string>> {
  const { basicAuth, bearerToken } = spec;
  if (basicAuth) {
    const username = oneLine(
      await read(basicAuth.username, '.basicAuth.username'),
      '.basicAuth.username',
    );
    const password = oneLine(
      await read(basicAuth.password, '.basicAuth.password'),
      '.basicAuth.password',
    );
    // RFC 7617: the first colon ends the name.
    if (username.includes(':'))
      throw new Unresolved('.basicAuth.username contains ":", which a user name cannot');
    return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` };
  }
  if (bearerToken) {
    const token = oneLine(await read(bearerToken, '.bearerToken'), '.bearerToken');
    return { authorization: `Bearer ${token}` };
  }
  return {};
}

async function ownTls(tls: Tls, read: ReadValue): Promise<MetricEndpoint['tls']> {
  const ca = tls.ca && (await readPem(tls.ca, '.tls.ca', 'CERTIFICATE', read));
  const cert = tls.cert && (await readPem(tls.cert, '.tls.cert', 'CERTIFICATE', read));
  const key = tls.key && (await readPem(tls.key, '.tls.key', 'PRIVATE KEY', read));
  if ((cert === undefined) !== (key === undefined)) {
    throw new Unresolved('.tls: cert and key go together; only one of them is set');
  }
  // OpenSSL passes over an authority that it cannot read, in silence.
  for (const [block] of ca?.matchAll(/-----BEGIN[^]*?-----END [A-Z ]+-----/g) ?? []) {
    checkUsable(() => new X509Certificate(block), '.tls.ca is no usable certificate');
  }
  checkUsable(
    () => createSecureContext({ ...(cert && { cert }), ...(key && { key }) }),
    '.tls.cert and .tls.key do not make a usable pair',
  );
  return {
    ...(ca && { ca }),
    ...(cert && { cert }),
    ...(key && { key }),
    ...(tls.serverName !== undefined && { serverName: tls.serverName }),
    ...(tls.insecureSkipVerify && { insecureSkipVerify: true }),
  };
}

async function readPem(
  ref: SecretKey,
  field: string,
  what: string,
  read: ReadValue,
): Promise<string> {
  const text = await read(ref, field);
  if (new RegExp(`-----BEGIN [A-Z ]*${what}-----`).test(text)) return text;
  throw new Unresolved(
    `${field}: the key ${ref.key} of the Secret ${ref.name} holds no ${what} in PEM form`,
  );
}

function checkUsable(use: () => unknown, words: string): void {
  try {
    use();
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split(':').at(-1) ?? '').trim() : '';
    throw new Unresolved(`${words}${reason === '' ? '' : `: ${reason}`}`);
  }
}

/** Most secrets made with `echo` end in a newline, which no header can carry. The value itself is never shown. */
function oneLine(value: string, field: string): string {
  const line = value.replace(/[\r\n]+$/, '');
  if (/^[\t\u0020-\u007e\u0080-\u00ff]+$/.test(line)) return line;
  throw new Unresolved(
    `${field} holds a line break or another character that cannot be sent in a header`,
  );
}

function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
}
