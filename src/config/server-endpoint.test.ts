import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { EndpointFileError, loadEndpoint, type ServerSettings } from './server-endpoint.ts';

const url = 'https://prometheus:9090';

function load(
  settings: Omit<ServerSettings, 'url' | 'headers'> & { headers?: ServerSettings['headers'] },
  files: Record<string, string> = {},
) {
  return loadEndpoint('prometheus', { url, headers: [], ...settings }, (path) => {
    const text = files[path];
    if (text === undefined) throw Object.assign(new Error('gone'), { code: 'ENOENT' });
    return text;
  });
}

describe("the operator's own Prometheus", () => {
  test('needs no more than a url', () => {
    assert.deepEqual(load({}), { url, headers: {}, tls: {} });
  });

  test('gets a bearer token from a file, without its newline', () => {
    const { headers } = load({ bearerTokenFile: '/t' }, { '/t': 'abc\n' });
    assert.deepEqual(headers, { authorization: 'Bearer abc' });
  });

  test('gets a user and a password', () => {
    const { headers } = load({ basicAuth: { username: 'me', passwordFile: '/p' } }, { '/p': 'pw' });
    const pair = Buffer.from('me:pw').toString('base64');
    assert.deepEqual(headers, { authorization: `Basic ${pair}` });
  });

  test('gets headers, written and from files', () => {
    const headers = [
      { name: 'X-Scope-OrgID', value: 'shop' },
      { name: 'X-Key', valueFile: '/k' },
    ];
    assert.deepEqual(load({ headers }, { '/k': 'secret\n' }).headers, {
      'x-scope-orgid': 'shop',
      'x-key': 'secret',
    });
  });

  test('gets TLS files whole, and skips verification only when told to', () => {
    const files = { '/ca': 'CA\n', '/cert': 'CERT\n', '/key': 'KEY\n' };
    const settings = { caFile: '/ca', certFile: '/cert', keyFile: '/key', serverName: 'p' };
    assert.deepEqual(load({ tls: { ...settings, insecureSkipVerify: false } }, files).tls, {
      ca: 'CA\n',
      cert: 'CERT\n',
      key: 'KEY\n',
      serverName: 'p',
    });
    assert.deepEqual(load({ tls: { insecureSkipVerify: true } }).tls, { insecureSkipVerify: true });
  });

  test('is read anew at each call, so that a rotated token is used', () => {
    const files: Record<string, string> = { '/t': 'old' };
    load({ bearerTokenFile: '/t' }, files);
    files['/t'] = 'new';
    assert.equal(load({ bearerTokenFile: '/t' }, files).headers['authorization'], 'Bearer new');
  });

  const bad = [
    ['a file that is not there', {}, 'prometheus.bearerTokenFile /t: there is no such file'],
    ['an empty file', { '/t': '\n' }, 'prometheus.bearerTokenFile /t: the file is empty'],
    [
      'a file of two lines',
      { '/t': 'a\nb\n' },
      'prometheus.bearerTokenFile /t: the file has more than one line, which no header may',
    ],
  ] as const;
  for (const [name, files, message] of bad) {
    test(`${name} is a sentence`, () => {
      assert.throws(() => load({ bearerTokenFile: '/t' }, files), new EndpointFileError(message));
    });
  }
});
