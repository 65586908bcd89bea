/** Health suites as Jobs, over the in-memory API server; test/cluster runs the same contract over a real one. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { jobResource } from '#api/names.ts';
import { createJobRunner } from '#kube/job-runner.ts';
import type { SuiteOrder } from '#ports/suite-runner.ts';
import { systemClock } from '#runtime/clock.ts';
import { suiteRunnerContract } from '#test/contracts/suite-runner.contract.ts';
import { FakeApiServer, FakeCluster } from '#test/fakes/cluster.ts';
import { playKubelet, suiteTemplate } from '#test/fakes/suite-kubelet.ts';
import { createJobSuite } from './job-suite.ts';

const namespace = 'shop';

function open(server = new FakeApiServer(), log = '') {
  const cluster = new FakeCluster({ server });
  const watched = () => Promise.resolve();
  const jobs = createJobRunner(cluster);
  const logs = { podLog: () => Promise.resolve({ text: log, hasStart: true, hasEnd: true }) };
  const runner = createJobSuite({ cluster, jobs, logs, clock: systemClock, watched });
  return { server, cluster, runner };
}

suiteRunnerContract('as a Job', () => {
  const { cluster, runner } = open();
  const kubelet = playKubelet(cluster, namespace);
  return Promise.resolve({
    runner,
    how: { type: 'job', template: suiteTemplate },
    namespace,
    behave: (as) => {
      kubelet.behaviour = as;
    },
    close: () => kubelet.stop(),
  });
});

const order: SuiteOrder = {
  rollout: {
    apiVersion: 'genesis.dev/v1alpha1',
    kind: 'GenesisRollout',
    metadata: { name: 'checkout', namespace, uid: 'u-1' },
  },
  suite: {
    name: 'health',
    intervalMs: 300_000,
    timeoutMs: 240_000,
    runner: { type: 'job', template: suiteTemplate },
    knownFlaky: [],
  },
  runId: 'run-1',
  dueAtMs: Date.UTC(2026, 10, 22, 12),
};

describe('a Job of a suite', () => {
  test('is owned by the rollout, ends with the timeout, is not retried and goes by itself', async () => {
    const { cluster, runner } = open();
    const controller = new AbortController();
    const running = runner.run(order, controller.signal).catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 50));
    const [job] = cluster.cachedAll(jobResource, namespace);
    controller.abort();
    await running;
    assert.equal(job?.metadata.ownerReferences?.[0]?.uid, 'u-1');
    assert.ok((job?.metadata.name.length ?? 99) <= 63);
    const spec = job?.['spec'] as Record<string, unknown>;
    assert.equal(spec['backoffLimit'], 0);
    assert.equal(spec['activeDeadlineSeconds'], 240);
    assert.equal(spec['ttlSecondsAfterFinished'], 3600);
  });

  test('is found by whoever takes over, running and ended, and is made only once', async () => {
    const server = new FakeApiServer();
    const first = open(server);
    const gone = new AbortController();
    const cut = first.runner.run(order, gone.signal).catch(() => 'cut off');
    await new Promise((resolve) => setTimeout(resolve, 50));
    gone.abort(new Error('the process ends'));
    assert.equal(await cut, 'cut off');

    const second = open(server);
    const { signal } = new AbortController();
    const left = await second.runner.earlier?.(order.rollout, order.suite, signal);
    assert.equal(left?.running?.order.dueAtMs, order.dueAtMs);
    const kubelet = playKubelet(second.cluster, namespace);
    kubelet.behaviour = { type: 'answers', text: '{"passed":3}' };
    const outcome = await second.runner.run(left?.running?.order ?? order, signal);
    await kubelet.stop();
    assert.equal(outcome.type, 'done');
    assert.equal(second.cluster.cachedAll(jobResource, namespace).length, 1);

    const third = await open(server).runner.earlier?.(order.rollout, order.suite, signal);
    assert.equal(third?.running, undefined);
    assert.deepEqual(
      third?.runs.map((run) => run.outcome),
      [outcome],
    );
  });

  test('whose result is JUnit XML on its log has it, for whoever takes over too', async () => {
    const server = new FakeApiServer();
    const log =
      'go\n<testsuite><testcase name="a"/><testcase name="b"><failure/></testcase></testsuite>\n';
    const { cluster, runner } = open(server, log);
    const kubelet = playKubelet(cluster, namespace);
    kubelet.behaviour = { type: 'crashes' };
    const { signal } = new AbortController();
    const outcome = await runner.run(order, signal);
    await kubelet.stop();
    assert.ok(outcome.type === 'done', JSON.stringify(outcome));
    assert.deepEqual([outcome.total, outcome.passed, outcome.failures], [2, 1, ['b']]);
    const next = open(server, log).runner;
    const left = await next.earlier?.(order.rollout, order.suite, signal);
    assert.deepEqual(
      left?.runs.map((run) => run.outcome),
      [outcome],
    );
  });

  test('whose tests fail with an exit code has a result all the same', async () => {
    const { cluster, runner } = open();
    const kubelet = playKubelet(cluster, namespace);
    kubelet.behaviour = { type: 'answers', text: '{"passed":1,"failed":1}' };
    const outcome = await runner.run(order, new AbortController().signal);
    await kubelet.stop();
    assert.equal(outcome.type === 'done' && outcome.newFailures, 1);
  });
});
