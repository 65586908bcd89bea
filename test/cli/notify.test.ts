/** `kubectl genesis notify test`: from a file or the operator's ConfigMap to what the server said. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Terminal } from '#cli/command.ts';
import type { KubeObject } from '#ports/cluster.ts';
import { type ChannelServer, startChannelServer } from '#test/notifiers/channel-server.ts';
import { runCli } from './terminal.ts';

let server: ChannelServer;
before(async () => {
  server = await startChannelServer();
});
after(() => server.close());

function configWith(secret: object): string {
  const hook = { name: 'hook', webhook: { url: server.url, secret } };
  return JSON.stringify({ notifications: { channels: [hook] } }, undefined, 2);
}

const inFile = { file: '/etc/key' };
const inSecret = { secret: { name: 'people', key: 'key' } };

function filesOf(config: string): Pick<Terminal, 'readText'> {
  return { readText: (path) => (path === '/etc/key' ? 'the-key-itself\n' : config) };
}

function clusterWith(config: string): Pick<Terminal, 'connect'> {
  const objects: Readonly<Record<string, KubeObject>> = {
    'ConfigMap genesis-rollout': {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'genesis-rollout', namespace: 'genesis-system' },
      data: { 'config.yaml': config },
    },
    'Secret people': {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'people', namespace: 'genesis-system' },
      data: { key: Buffer.from('the-key-itself').toString('base64') },
    },
  };
  return {
    connect: async () => ({
      server: 'https://api.example',
      namespace: 'genesis-system',
      get: async (resource, { name }) => objects[`${resource.kind} ${name}`],
      list: async () => [],
      create: () => Promise.reject(new Error('nothing is created')),
      whoAmI: async () => 'alice',
      forward: () => Promise.reject(new Error('nothing is forwarded')),
      close: async () => undefined,
    }),
  };
}

describe('notify test', () => {
  test('sends through a channel of a file, and prints what the server said', async () => {
    server.answer = { status: 200, text: 'thank you' };
    const argv = ['notify', 'test', 'hook', '--config', 'genesis.yaml'];
    const printed = await runCli(argv, filesOf(configWith(inFile)));
    assert.deepEqual(printed, {
      code: 0,
      out: 'hook (webhook): sent; the server said: 200 thank you\n',
      err: '',
    });
    assert.match(server.received.at(-1)?.text ?? '', /test of this channel/);
  });

  test("sends through a channel of the operator's ConfigMap, with its Secret", async () => {
    server.answer = { status: 204 };
    const argv = ['notify', 'test', 'hook', '-n', 'genesis-system'];
    const printed = await runCli(argv, clusterWith(configWith(inSecret)));
    assert.equal(printed.err, '');
    assert.equal(printed.code, 0);
  });

  test('says what the server refuses, without the secret', async () => {
    server.answer = { status: 403, text: 'the-key-itself is not known' };
    const argv = ['notify', 'test', 'hook', '--config', 'genesis.yaml'];
    const printed = await runCli(argv, filesOf(configWith(inFile)));
    assert.equal(printed.code, 1);
    assert.equal(
      printed.err,
      'error: hook (webhook): not sent (refused for good): 403 *** is not known\n',
    );
  });

  const rows: readonly (readonly [string, readonly string[], number, RegExp])[] = [
    [
      'a channel that there is not',
      ['test', 'hok'],
      2,
      /"hok" is no channel .*there are hook; did you mean hook\?/,
    ],
    ['no channel', ['test'], 2, /kubectl genesis notify test CHANNEL/],
    ['another verb', ['tell', 'hook'], 2, /kubectl genesis notify test CHANNEL/],
  ];
  for (const [sentence, argv, code, says] of rows) {
    test(`refuses ${sentence}`, async () => {
      const all = ['notify', ...argv, '--config', 'genesis.yaml'];
      const printed = await runCli(all, filesOf(configWith(inFile)));
      assert.equal(printed.code, code);
      assert.match(printed.err, says);
    });
  }

  test('names what is missing in the cluster', async () => {
    const argv = ['notify', 'test', 'hook', '--configmap', 'other'];
    const printed = await runCli(argv, clusterWith(configWith(inSecret)));
    assert.equal(printed.code, 3);
    assert.match(
      printed.err,
      /there is no ConfigMap other with an entry config\.yaml in namespace genesis-system/,
    );
  });
});
