/** From a rollout's `analysis.prometheus` to an endpoint: what is sent where, and the sentence for everything that is missing. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { PrometheusSpec } from '#api/analysis.ts';
import type { MetricEndpoint } from '#ports/metric-source.ts';
import { type ReadSecret, resolveEndpoint } from '#prometheus/endpoint.ts';
import { makeCertificates } from './certificates.ts';
import { startFakePrometheus } from './fake-prometheus.ts';
import { forever, testSource } from './source.ts';

const { ca, server, client } = makeCertificates();
const other = makeCertificates();

const secrets: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  auth: {
    user: 'genesis\n',
    password: 'p:ä ss\n',
    token: 'abc.def\r\n',
    colon: 'a:b',
    lines: 'secret-1\nsecret-2',
    empty: '',
    tenant: 'team-a',
  },
  tls: {
    'ca.crt': ca,
    'tls.crt': client.cert,
    'tls.key': client.key,
    'other.key': other.client.key,
    broken: '-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----\n',
  },
  none: {},
};
const readSecret: ReadSecret = async (name) => {
  if (name === 'forbidden') throw new Error('secrets "forbidden" is forbidden');
  return secrets[name];
};

const ref = (name: string, key: string) => ({ name, key });
const spec = (part: Partial<PrometheusSpec>): PrometheusSpec => ({ headers: [], ...part });
const url = 'https://prometheus.example/team';
const operators: MetricEndpoint = {
  url: 'http://prometheus.monitoring:9090',
  headers: { Authorization: 'Bearer operator', 'X-Scope-OrgID': 'platform' },
  tls: { ca },
};

describe('an endpoint', () => {
  const rows: readonly (readonly [string, PrometheusSpec | undefined, MetricEndpoint])[] = [
    ["is the operator's own when the rollout says nothing", undefined, operators],
    [
      "is the operator's own when the rollout says nothing in it",
      spec({}),
      { ...operators, headers: { authorization: 'Bearer operator', 'x-scope-orgid': 'platform' } },
    ],
    [
      "keeps nothing of the operator's when the rollout has a url",
      spec({ url }),
      { url, headers: {}, tls: {} },
    ],
    [
      'sends basic credentials without the newline of echo',
      spec({
        url,
        basicAuth: { username: ref('auth', 'user'), password: ref('auth', 'password') },
      }),
      {
        url,
        headers: { authorization: `Basic ${Buffer.from('genesis:p:ä ss').toString('base64')}` },
        tls: {},
      },
    ],
    [
      'sends a bearer token',
      spec({ url, bearerToken: ref('auth', 'token') }),
      { url, headers: { authorization: 'Bearer abc.def' }, tls: {} },
    ],
    [
      'sends headers, written and from a Secret',
      spec({
        url,
        headers: [
          { name: 'X-Scope-OrgID', value: 'a|b' },
          { name: 'X-Tenant', valueFrom: ref('auth', 'tenant') },
        ],
      }),
      { url, headers: { 'x-scope-orgid': 'a|b', 'x-tenant': 'team-a' }, tls: {} },
    ],
    [
      'has TLS from Secrets',
      spec({
        url,
        tls: {
          ca: ref('tls', 'ca.crt'),
          cert: ref('tls', 'tls.crt'),
          key: ref('tls', 'tls.key'),
          serverName: 'p',
          insecureSkipVerify: false,
        },
      }),
      { url, headers: {}, tls: { ca, ...client, serverName: 'p' } },
    ],
    [
      'skips verification only when told to',
      spec({ url, tls: { insecureSkipVerify: true } }),
      { url, headers: {}, tls: { insecureSkipVerify: true } },
    ],
    [
      "without a url adds headers to the operator's",
      spec({ headers: [{ name: 'X-Tenant', value: 'team-a' }] }),
      {
        ...operators,
        headers: {
          authorization: 'Bearer operator',
          'x-scope-orgid': 'platform',
          'x-tenant': 'team-a',
        },
      },
    ],
    [
      "without a url replaces the operator's credentials",
      spec({ bearerToken: ref('auth', 'token') }),
      { ...operators, headers: { authorization: 'Bearer abc.def', 'x-scope-orgid': 'platform' } },
    ],
  ];
  for (const [name, given, want] of rows) {
    test(name, async () => {
      assert.deepEqual(await resolveEndpoint(given, operators, readSecret), {
        type: 'ok',
        endpoint: want,
      });
    });
  }
});

describe('what is missing or wrong is a sentence', () => {
  const rows: readonly (readonly [string, PrometheusSpec | undefined, string])[] = [
    [
      'a Secret',
      spec({ url, bearerToken: ref('gone', 'token') }),
      '.bearerToken: there is no Secret gone',
    ],
    [
      'a key',
      spec({ url, bearerToken: ref('auth', 'tokn') }),
      '.bearerToken: the Secret auth has no key tokn; it has user, password, token, colon, lines, empty, tenant',
    ],
    [
      'every key',
      spec({ url, bearerToken: ref('none', 'token') }),
      '.bearerToken: the Secret none has no key token; it is empty',
    ],
    [
      'a value',
      spec({ url, bearerToken: ref('auth', 'empty') }),
      '.bearerToken: the key empty of the Secret auth is empty',
    ],
    [
      'the right to read',
      spec({
        url,
        basicAuth: { username: ref('auth', 'user'), password: ref('forbidden', 'password') },
      }),
      '.basicAuth.password: the Secret forbidden cannot be read: secrets "forbidden" is forbidden',
    ],
    [
      'a value of two lines',
      spec({ url, headers: [{ name: 'X-Key', valueFrom: ref('auth', 'lines') }] }),
      '.headers[X-Key] holds a line break or another character that cannot be sent in a header',
    ],
    [
      'a user name with a colon',
      spec({
        url,
        basicAuth: { username: ref('auth', 'colon'), password: ref('auth', 'password') },
      }),
      '.basicAuth.username contains ":", which a user name cannot',
    ],
    [
      'an authority that is no PEM',
      spec({ url, tls: { ca: ref('auth', 'user'), insecureSkipVerify: false } }),
      '.tls.ca: the key user of the Secret auth holds no CERTIFICATE in PEM form',
    ],
    [
      'a key in place of a certificate',
      spec({
        url,
        tls: { cert: ref('tls', 'tls.key'), key: ref('tls', 'tls.key'), insecureSkipVerify: false },
      }),
      '.tls.cert: the key tls.key of the Secret tls holds no CERTIFICATE in PEM form',
    ],
    [
      'the key of another certificate',
      spec({
        url,
        tls: {
          cert: ref('tls', 'tls.crt'),
          key: ref('tls', 'other.key'),
          insecureSkipVerify: false,
        },
      }),
      '.tls.cert and .tls.key do not make a usable pair: key values mismatch',
    ],
    [
      'a key without certificate',
      spec({ url, tls: { key: ref('tls', 'tls.key'), insecureSkipVerify: false } }),
      '.tls: cert and key go together; only one of them is set',
    ],
    [
      'a url with another scheme',
      spec({ url: 'ftp://prometheus' }),
      '.url: "ftp://prometheus" has the scheme ftp; http and https are allowed',
    ],
    [
      'a url with a password',
      spec({ url: 'http://me:hunter2@prometheus' }),
      '.url: the URL of prometheus contains a user or password; use basicAuth with a Secret',
    ],
    [
      "TLS of one's own without a url",
      spec({ tls: { insecureSkipVerify: true } }),
      ".tls needs .url as well; the operator's own Prometheus keeps the operator's own TLS settings",
    ],
    [
      "another value for the operator's header",
      spec({ headers: [{ name: 'x-scope-OrgId', value: 'other' }] }),
      '.headers: x-scope-orgid is set by the operator; to send another value set .url and credentials as well',
    ],
  ];
  for (const [name, given, message] of rows) {
    test(name, async () => {
      const result = await resolveEndpoint(given, operators, readSecret);
      assert.deepEqual(result, { type: 'unresolved', message: `analysis.prometheus${message}` });
      assert.doesNotMatch(message, /secret-1|hunter2/);
    });
  }

  test('everything, without a default of the operator', async () => {
    const message =
      'analysis.prometheus.url is not set, and the operator was started without a Prometheus of its own';
    assert.deepEqual(await resolveEndpoint(undefined, undefined, readSecret), {
      type: 'unresolved',
      message,
    });
  });

  test('a certificate that OpenSSL cannot read', async () => {
    const result = await resolveEndpoint(
      spec({ url, tls: { ca: ref('tls', 'broken'), insecureSkipVerify: false } }),
      undefined,
      readSecret,
    );
    assert.ok(result.type === 'unresolved', JSON.stringify(result));
    assert.match(result.message, /\.tls\.ca is no usable certificate/);
  });
});

test('an endpoint with all of it reaches a server that asks for all of it', async () => {
  await using fake = await startFakePrometheus({
    tls: { ...server, ca, requestCert: true, rejectUnauthorized: true },
  });
  await using source = testSource();
  const given = spec({
    url: fake.url,
    headers: [{ name: 'X-Scope-OrgID', value: 'team-a' }],
    basicAuth: { username: ref('auth', 'user'), password: ref('auth', 'password') },
    tls: {
      ca: ref('tls', 'ca.crt'),
      cert: ref('tls', 'tls.crt'),
      key: ref('tls', 'tls.key'),
      serverName: 'prometheus.test',
      insecureSkipVerify: false,
    },
  });
  const result = await resolveEndpoint(given, operators, readSecret);
  assert.ok(result.type === 'ok', JSON.stringify(result));
  const answer = await source.instant(result.endpoint, 'up', 1, forever);
  assert.equal(answer.type, 'samples', JSON.stringify(answer));
  const [request] = fake.requests;
  assert.equal(request?.clientName, 'genesis-operator');
  assert.equal(
    request.headers['authorization'],
    `Basic ${Buffer.from('genesis:p:ä ss').toString('base64')}`,
  );
  assert.equal(request.headers['x-scope-orgid'], 'team-a');
});
