import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ClusterError, type KubeObject } from '#ports/cluster.ts';
import { type SecretReader, secretReader } from './secrets.ts';

function readerOf(
  answer: () => Promise<KubeObject | undefined>,
  asked: string[] = [],
): SecretReader {
  const get = (_: unknown, { namespace, name }: { namespace: string; name: string }) => {
    asked.push(`${namespace}/${name}`);
    return answer();
  };
  return secretReader({ get }, 'shop', new AbortController().signal);
}

const secret = (data: unknown): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'prometheus', namespace: 'shop' },
  data,
});
const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('secrets', () => {
  it('are read by name in their namespace, and decoded', async () => {
    const asked: string[] = [];
    const data = { user: base64('ada'), password: base64('pässword\n') };
    const read = readerOf(() => Promise.resolve(secret(data)), asked);
    assert.deepEqual(await read('prometheus'), { user: 'ada', password: 'pässword\n' });
    assert.deepEqual(asked, ['shop/prometheus']);
  });

  it('that do not exist are undefined, those without data empty', async () => {
    assert.equal(await readerOf(() => Promise.resolve(undefined))('none'), undefined);
    assert.deepEqual(await readerOf(() => Promise.resolve(secret(undefined)))('empty'), {});
    assert.deepEqual(await readerOf(() => Promise.resolve(secret({ odd: 7 })))('odd'), {});
  });

  it('that may not be read are a fault', async () => {
    const read = readerOf(() => Promise.reject(new ClusterError('forbidden', 'no right')));
    await assert.rejects(read('prometheus'), { fault: 'forbidden' });
  });
});
