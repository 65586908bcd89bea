/** Where URLs of a rollout may lead. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { urlProblem } from './address-rules.ts';

const rows: readonly (readonly [url: string, says: RegExp | undefined])[] = [
  ['http://genesis-canary.genesis:8080/health', undefined],
  ['https://10.0.0.7/run', undefined],
  ['http://[fd12:3456::1]:8080/run', undefined],
  ['http://100.64.0.9/run', undefined],
  ['http://127.0.0.1:9090/', /leads to 127\.0\.0\.1, the operator's own loopback/],
  ['http://127.1/', /loopback/],
  ['http://2130706433/', /leads to 127\.0\.0\.1/],
  ['http://0x7f.0.0.1/', /leads to 127\.0\.0\.1/],
  ['http://localhost:8080/', /loopback/],
  ['http://a.localhost/', /loopback/],
  ['http://[::1]/', /loopback/],
  ['http://[::ffff:127.0.0.1]/', /loopback/],
  ['http://169.254.169.254/latest/meta-data/', /leads to 169\.254\.169\.254, a link-local address/],
  ['http://[::ffff:a9fe:a9fe]/', /link-local/],
  ['http://[fe80::1]/', /link-local/],
  ['http://[fd00:ec2::254]/', /metadata/],
  ['http://100.100.100.200/', /metadata/],
  ['http://0.0.0.0/', /no address of one host/],
  ['http://255.255.255.255/', /no address of one host/],
  ['http://user:pass@host/', /contains a user or password/],
  ['ftp://host/', /has the scheme ftp; allowed are http and https/],
  ['http://', /is not a URL/],
];

describe('a URL', () => {
  for (const [url, says] of rows) {
    test(`${url} ${says === undefined ? 'may be asked' : 'is refused'}`, () => {
      const problem = urlProblem(url, { allowLoopback: false });
      if (says === undefined) assert.equal(problem, undefined);
      else assert.match(problem ?? '', says);
    });
  }

  test('on the loopback may be asked where the operator is told so, and only there', () => {
    const rules = { allowLoopback: true };
    assert.equal(urlProblem('http://127.0.0.1:1/', rules), undefined);
    assert.equal(urlProblem('http://localhost:1/', rules), undefined);
    assert.match(urlProblem('http://169.254.169.254/', rules) ?? '', /link-local/);
  });
});
