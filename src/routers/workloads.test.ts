/** Workloads that are restarted with a flag: one annotation is written, and how far their pods are is read. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ClusterError, type KubeObject } from '#ports/cluster.ts';
import { silentLogger } from '#ports/logger.ts';
import type { RunRestart } from '#ports/workloads.ts';
import { FakeCluster } from '#test/fakes/cluster.ts';
import { rolloutStateOf } from './workload-state.ts';
import { createWorkloads, keepForRestarts, workloadResources } from './workloads.ts';

const key = { namespace: 'shop', name: 'a2a' };
const workload: RunRestart = { ...key, kind: 'Deployment', flag: 'flags/share' };
const resource = workloadResources.Deployment;
const signal = new AbortController().signal;
const mark = 'genesis.dev/flag-weights';

type Fields = Record<string, unknown>;

function deployment(metadata: Fields | undefined, spec: Fields = {}, status?: Fields): KubeObject {
  const containers = [{ name: 'app', image: 'app:1' }];
  const template = {
    ...(metadata === undefined ? {} : { metadata }),
    spec: { containers },
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { ...key, generation: 2 },
    spec: { replicas: 2, template, ...spec },
    ...(status === undefined ? {} : { status }),
  };
}

function bench(object?: KubeObject) {
  const cluster = new FakeCluster();
  if (object !== undefined) cluster.server.seed(resource, object);
  const workloads = createWorkloads({
    cluster,
    logger: silentLogger,
    watchState: () => ({ type: 'synced' }),
  });
  const template = () =>
    (cluster.server.get(resource, key)?.['spec'] as Fields | undefined)?.['template'];
  return { cluster, workloads, template };
}

describe('a restart', () => {
  const before: readonly (readonly [string, Fields | undefined, Fields])[] = [
    ['a template without metadata', undefined, {}],
    ['one without annotations', { labels: { app: 'a2a' } }, {}],
    ['one with others', { annotations: { 'team/x': 'y' } }, { 'team/x': 'y' }],
    ['one with a broken mark', { annotations: { [mark]: 'no JSON' } }, {}],
  ];
  for (const [name, metadata, others] of before) {
    test(`of ${name} adds the mark and leaves the rest`, async () => {
      const { workloads, template, cluster } = bench(deployment(metadata));
      const written = await workloads.restart(workload, 50, signal);
      assert.deepEqual(written, { type: 'done' });
      const annotations = { ...others, [mark]: '{"flags/share":50}' };
      const containers = [{ name: 'app', image: 'app:1' }];
      assert.deepEqual(template(), {
        metadata: { ...metadata, annotations },
        spec: { containers },
      });
      const reading = workloads.read(workload);
      assert.ok(reading.type === 'read' && reading.mark === 50);
      assert.equal(cluster.writes[0]?.fieldManager, 'genesis');
    });
  }

  test('of the same share writes nothing', async () => {
    const { workloads, cluster } = bench(
      deployment({ annotations: { [mark]: '{"flags/share":50}' } }),
    );
    assert.deepEqual(await workloads.restart(workload, 50, signal), { type: 'done' });
    assert.deepEqual(cluster.writes, []);
  });

  test('keeps the marks of other flags, also one that is written meanwhile', async () => {
    const { workloads, cluster, template } = bench(deployment({ labels: { app: 'a2a' } }));
    const other = createWorkloads({
      cluster: new FakeCluster({ server: cluster.server }),
      logger: silentLogger,
      watchState: () => ({ type: 'synced' }),
    });
    let isFirst = true;
    cluster.before = async ({ verb }) => {
      if (verb !== 'jsonPatch' || !isFirst) return;
      isFirst = false;
      await other.restart({ ...workload, flag: 'flags/other' }, 10, signal);
    };
    assert.deepEqual(await workloads.restart(workload, 50, signal), { type: 'done' });
    const { metadata } = template() as { metadata: { annotations: Record<string, string> } };
    assert.deepEqual(JSON.parse(metadata.annotations[mark] ?? ''), {
      'flags/other': 10,
      'flags/share': 50,
    });
  });

  test('that is forbidden is a refusal, and is read as one until it goes through', async () => {
    const { workloads, cluster } = bench(deployment({}));
    cluster.before = ({ verb }) => {
      if (verb === 'jsonPatch') throw new ClusterError('forbidden', 'no right to patch');
    };
    assert.equal((await workloads.restart(workload, 50, signal)).type, 'refused');
    const refused = workloads.read(workload);
    assert.match(
      refused.type === 'read' ? (refused.obstacle ?? '') : '',
      /refuses the restart: no right to patch/,
    );
    cluster.before = undefined;
    assert.deepEqual(await workloads.restart(workload, 50, signal), { type: 'done' });
    const read = workloads.read(workload);
    assert.equal(read.type === 'read' ? read.obstacle : 'unread', undefined);
  });

  test('while the API server fails is a fault', async () => {
    const { workloads, cluster } = bench(deployment({}));
    cluster.before = () => {
      throw new ClusterError('unavailable', 'down');
    };
    await assert.rejects(workloads.restart(workload, 50, signal), /down/);
  });
});

describe('a workload that the cache does not hold', () => {
  const states = [
    [{ type: 'pending' }, 'unknown'],
    [{ type: 'failed', message: 'forbidden' }, 'refused'],
    [{ type: 'synced' }, 'missing'],
  ] as const;
  for (const [state, expected] of states) {
    test(`is ${expected} while its watch is ${state.type}`, () => {
      const cluster = new FakeCluster();
      const watchState = () => state;
      const workloads = createWorkloads({ cluster, logger: silentLogger, watchState });
      assert.equal(workloads.read(workload).type, expected);
    });
  }
});

describe('how far the pods are', () => {
  const whole = { observedGeneration: 2, replicas: 2, updatedReplicas: 2, availableReplicas: 2 };
  const late = { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' };
  const rows: readonly (readonly [
    string,
    RunRestart['kind'],
    Fields,
    Fields | undefined,
    string,
  ])[] = [
    ['all are new', 'Deployment', {}, whole, 'done'],
    ['nothing is known', 'Deployment', {}, undefined, 'going'],
    ['not observed yet', 'Deployment', {}, { ...whole, observedGeneration: 1 }, 'going'],
    ['one is old', 'Deployment', {}, { ...whole, updatedReplicas: 1 }, 'going'],
    ['an old one is left', 'Deployment', {}, { ...whole, replicas: 3 }, 'going'],
    ['one is not available', 'Deployment', {}, { ...whole, availableReplicas: 1 }, 'going'],
    ['none is wanted', 'Deployment', { replicas: 0 }, { observedGeneration: 2 }, 'done'],
    ['paused', 'Deployment', { paused: true }, { ...whole, updatedReplicas: 0 }, 'paused'],
    [
      'over its deadline',
      'Deployment',
      {},
      { ...whole, updatedReplicas: 1, conditions: [late] },
      'do not become available',
    ],
    ['all are new', 'StatefulSet', {}, whole, 'done'],
    [
      'a partition keeps old ones',
      'StatefulSet',
      { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 1 } } },
      { ...whole, updatedReplicas: 1 },
      'partition 1',
    ],
    [
      'by hand only',
      'DaemonSet',
      { updateStrategy: { type: 'OnDelete' } },
      { observedGeneration: 2, desiredNumberScheduled: 2 },
      'OnDelete',
    ],
    [
      'all are new',
      'DaemonSet',
      {},
      {
        observedGeneration: 2,
        desiredNumberScheduled: 2,
        updatedNumberScheduled: 2,
        numberAvailable: 2,
      },
      'done',
    ],
  ];
  for (const [name, kind, spec, status, expected] of rows) {
    test(`${kind}: ${name}`, () => {
      const object = keepForRestarts(deployment({ labels: { app: 'a2a' } }, spec, status));
      const state = rolloutStateOf(kind, object);
      assert.ok(state.type === 'read');
      assert.equal(state.isRolledOut, expected === 'done');
      if (expected === 'done' || expected === 'going') assert.equal(state.obstacle, undefined);
      else assert.match(state.obstacle ?? '', new RegExp(expected));
    });
  }

  test('an object that is no workload is refused', () => {
    assert.equal(
      rolloutStateOf('Deployment', deployment({}, { replicas: 'two' })).type,
      'malformed',
    );
  });
});
