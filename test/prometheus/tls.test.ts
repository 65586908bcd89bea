/** TLS to a metric endpoint: own authority, server name, client certificate, and the sentences when one of them is wrong. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { MetricEndpoint } from '#ports/metric-source.ts';
import { makeCertificates } from './certificates.ts';
import { startFakePrometheus } from './fake-prometheus.ts';
import { endpointOf, forever, testSource } from './source.ts';

const { ca, server: serverPair, client } = makeCertificates();
const other = makeCertificates();
const trusted = { ca, serverName: 'prometheus.test' };

async function ask(tls: MetricEndpoint['tls'], server: { mutual: boolean }) {
  const options = {
    ...serverPair,
    ca,
    requestCert: server.mutual,
    rejectUnauthorized: server.mutual,
  };
  await using fake = await startFakePrometheus({ tls: options });
  await using source = testSource();
  const answer = await source.instant(endpointOf(fake.url, { tls }), 'up', 1, forever);
  return { answer, requests: fake.requests };
}

describe('a server with a certificate of its own authority', () => {
  const accepted: readonly (readonly [string, MetricEndpoint['tls']])[] = [
    ['the authority and the name are given', trusted],
    ['verification is switched off', { insecureSkipVerify: true }],
  ];
  for (const [name, tls] of accepted) {
    test(`is asked when ${name}`, async () => {
      const { answer } = await ask(tls, { mutual: false });
      assert.equal(answer.type, 'samples', JSON.stringify(answer));
    });
  }

  const refused: readonly (readonly [string, MetricEndpoint['tls'], RegExp])[] = [
    [
      'no authority is given',
      { serverName: 'prometheus.test' },
      /certificate that is not accepted \(self-signed certificate in certificate chain\); check tls\.ca and tls\.serverName$/,
    ],
    [
      'another authority is given',
      { ca: other.ca, serverName: 'prometheus.test' },
      /certificate that is not accepted/,
    ],
    [
      'the name does not fit',
      { ca },
      /certificate that is not accepted \(Hostname\/IP does not match/,
    ],
    [
      'the authority is no PEM',
      { ca: 'hello', serverName: 'prometheus.test' },
      /certificate that is not accepted|cannot be reached/,
    ],
    [
      'the client key is no PEM',
      { ...trusted, cert: client.cert, key: 'hello' },
      /cannot be used|cannot be reached/,
    ],
  ];
  for (const [name, tls, message] of refused) {
    test(`is not asked when ${name}`, async () => {
      const { answer, requests } = await ask(tls, { mutual: false });
      assert.ok(answer.type === 'error' && answer.fault === 'unreachable', JSON.stringify(answer));
      assert.match(answer.message, message);
      assert.doesNotMatch(answer.message, /BEGIN|hello/);
      assert.equal(requests.length, 0);
    });
  }
});

test('a kept connection is not lent to an endpoint that trusts another authority', async () => {
  await using fake = await startFakePrometheus({ tls: serverPair });
  await using source = testSource();
  const ask = (authority: string) => {
    const tls = { ca: authority, serverName: 'prometheus.test' };
    return source.instant(endpointOf(fake.url, { tls }), 'up', 1, forever);
  };
  assert.equal((await ask(ca)).type, 'samples');
  assert.equal((await ask(other.ca)).type, 'error');
  assert.equal(fake.requests.length, 1);
});

describe('a server that wants a client certificate', () => {
  test('gets ours', async () => {
    const { answer, requests } = await ask({ ...trusted, ...client }, { mutual: true });
    assert.equal(answer.type, 'samples', JSON.stringify(answer));
    assert.equal(requests[0]?.clientName, 'genesis-operator');
  });

  const refused: readonly (readonly [string, MetricEndpoint['tls']])[] = [
    ['none', trusted],
    ['one of another authority', { ...trusted, ...other.client }],
  ];
  for (const [name, tls] of refused) {
    test(`refuses ${name}`, async () => {
      const { answer, requests } = await ask(tls, { mutual: true });
      assert.ok(answer.type === 'error' && answer.fault === 'unreachable', JSON.stringify(answer));
      assert.equal(requests.length, 0);
    });
  }
});

test('a plain http url of a TLS server says so', async () => {
  await using fake = await startFakePrometheus({ tls: serverPair });
  await using source = testSource({ timeoutMs: 1_000 });
  const answer = await source.instant(
    endpointOf(fake.url.replace('https', 'http')),
    'up',
    1,
    forever,
  );
  assert.ok(answer.type === 'error', JSON.stringify(answer));
});

test('an https url of a plain server says so', async () => {
  await using fake = await startFakePrometheus();
  await using source = testSource({ timeoutMs: 1_000 });
  const answer = await source.instant(
    endpointOf(fake.url.replace('http', 'https')),
    'up',
    1,
    forever,
  );
  assert.ok(answer.type === 'error' && answer.fault === 'unreachable', JSON.stringify(answer));
  assert.match(
    answer.message,
    /does not speak TLS there \(wrong version number\); is it http instead of https\?$/,
  );
});
