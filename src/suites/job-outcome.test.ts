/** Where the result of a Job is looked for, and in which words it is missed. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RunSuite } from '#core/run-spec.ts';
import { ClusterError, type KubeObject } from '#ports/cluster.ts';
import type { LogEnd, PodLogs } from '#ports/pod-logs.ts';
import type { SuiteOutcome } from '#ports/suite-runner.ts';
import { VirtualClock } from '#test/kube/virtual-clock.ts';
import { outcomeOfJob } from './job-outcome.ts';
import { compactPod, endOf, podsOf } from './job-reading.ts';

const job: KubeObject = {
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: 'smoke', namespace: 'shop' },
  status: {
    conditions: [
      { type: 'Failed', status: 'True', reason: 'BackoffLimitExceeded', message: 'it is over' },
    ],
  },
};
const suite: RunSuite = {
  name: 'smoke',
  intervalMs: 60_000,
  timeoutMs: 60_000,
  runner: { type: 'job', template: {} },
  knownFlaky: ['^flaky'],
};

interface Container {
  readonly name: string;
  readonly message?: string;
  readonly endedAt?: number;
}

function pod(
  containers: readonly Container[],
  annotations: Record<string, string> = {},
): KubeObject {
  const labels = { 'batch.kubernetes.io/job-name': 'smoke' };
  const containerStatuses = containers.map(({ name, message, endedAt = 0 }) => {
    const finishedAt = new Date(Date.UTC(2026, 10, 22) + endedAt * 1000).toISOString();
    return {
      name,
      state: { terminated: { exitCode: 1, finishedAt, ...(message && { message }) } },
    };
  });
  return compactPod({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'smoke-x', namespace: 'shop', labels, annotations },
    status: { containerStatuses },
  });
}

type Answer = string | Partial<LogEnd> | ClusterError;

/** Answers one after the other, the last one again and again. */
class Logs implements PodLogs {
  readonly asked: string[] = [];
  readonly #answers: readonly Answer[];

  constructor(...answers: readonly Answer[]) {
    this.#answers = answers;
  }

  podLog(
    { namespace, name }: { readonly namespace: string; readonly name: string },
    container: string,
  ) {
    const answer = this.#answers[this.asked.length] ?? this.#answers.at(-1) ?? '';
    this.asked.push(`${namespace}/${name} ${container}`);
    if (answer instanceof ClusterError) return Promise.reject(answer);
    const end = typeof answer === 'string' ? { text: answer } : answer;
    return Promise.resolve({ text: '', hasStart: true, hasEnd: true, ...end });
  }
}

async function outcome(logs: Logs, ...pods: readonly KubeObject[]): Promise<SuiteOutcome> {
  const end = endOf(job) ?? assert.fail();
  const clock = new VirtualClock();
  const { signal } = new AbortController();
  const asked = outcomeOfJob(
    { logs, clock },
    { job, end, pods: podsOf(pods, 'smoke') },
    suite,
    signal,
  );
  for (let tick = 0; tick < 10; tick += 1) await clock.advance(1_000);
  return asked;
}

const junit =
  '<testsuite><testcase name="a"/><testcase name="flaky"><error/></testcase></testsuite>';
const one = pod([{ name: 'suite' }]);

describe('a Job has its result', () => {
  test('from the termination message, and no log is read', async () => {
    const logs = new Logs(junit);
    const found = await outcome(logs, pod([{ name: 'suite', message: '{"passed":7}' }]));
    assert.equal(found.type === 'done' && found.total, 7);
    assert.deepEqual(logs.asked, []);
  });

  test('from the log among other lines, with what is known to be flaky apart', async () => {
    const logs = new Logs(`go\n${junit}\nbye`);
    assert.deepEqual(await outcome(logs, one), {
      type: 'done',
      total: 2,
      passed: 1,
      failed: 1,
      skipped: 0,
      knownFlaky: 1,
      newFailures: 0,
      failures: ['flaky'],
    });
    assert.deepEqual(logs.asked, ['shop/smoke-x suite']);
  });

  test('from the log where the termination message is the end of it', async () => {
    const found = await outcome(
      new Logs(junit),
      pod([{ name: 'suite', message: junit.slice(-40) }]),
    );
    assert.equal(found.type === 'done' && found.total, 2);
  });

  test('from the termination message of another container than the first', async () => {
    const containers = [
      { name: 'proxy', message: 'bye' },
      { name: 'suite', message: '{"passed":7}' },
    ];
    const found = await outcome(new Logs(), pod(containers));
    assert.equal(found.type === 'done' && found.total, 7);
  });

  test('from the log after faults that pass', async () => {
    const logs = new Logs(
      new ClusterError('unavailable', 'no route'),
      new ClusterError('timeout', 'late'),
      junit,
    );
    assert.equal((await outcome(logs, one)).type, 'done');
    assert.equal(logs.asked.length, 3);
  });

  const several = [
    { name: 'proxy', endedAt: 9 },
    { name: 'suite', endedAt: 5 },
    { name: 'late', endedAt: 11 },
  ];
  for (const [which, annotations, container] of [
    ['that ended last', {}, 'late'],
    ['that the pod names', { 'kubectl.kubernetes.io/default-container': 'suite' }, 'suite'],
    [
      'that ended last, where the pod names none of its own',
      { 'kubectl.kubernetes.io/default-container': 'x' },
      'late',
    ],
  ] as const) {
    test(`from the log of the container ${which}`, async () => {
      const logs = new Logs(junit);
      await outcome(logs, pod(several, annotations));
      assert.deepEqual(logs.asked, [`shop/smoke-x ${container}`]);
    });
  }
});

const missing: readonly (readonly [what: string, answer: Answer, says: RegExp])[] = [
  ['an empty log', ' \n', /the log of its container suite is empty/],
  ['no XML', 'fine,\nthanks\n', /has no JUnit XML, .* it ends with "fine, thanks"/],
  [
    'no XML in what is read',
    { text: 'fine', hasStart: false },
    /has no JUnit XML in its last 4 MiB/,
  ],
  ['a log without end', { text: junit, hasEnd: false }, /is longer than anybody reads/],
  [
    'XML that is cut',
    junit.slice(0, 40),
    /XML that is cut: <testsuite> does not end; it ends with "<tests/,
  ],
  [
    'XML that is malformed',
    '<testsuite><testcase></testsuite>',
    /has JUnit XML that is no result \(.*cannot be read/,
  ],
  ['XML without tests', '<testsuites><testsuite/></testsuites>', /no result \(total is 0/],
  [
    'a right that is missing',
    new ClusterError('forbidden', 'GET … answered 403: pods "smoke-x" is forbidden'),
    /lacks the right to get pods\/log in namespace shop, which the chart gives with rbac.allow.podLogs \(.*403/,
  ],
  [
    'a pod that is gone',
    new ClusterError('notFound', 'GET … answered 404'),
    /is gone with its pod/,
  ],
  [
    'a node that does not answer',
    new ClusterError('unavailable', 'no route'),
    /cannot be read: no route/,
  ],
];

describe('a Job has no result', () => {
  for (const [what, answer, says] of missing) {
    test(`with ${what}`, async () => {
      const found = await outcome(new Logs(answer), one);
      assert.ok(found.type === 'failed', JSON.stringify(found));
      assert.match(found.message, says);
      assert.match(
        found.message,
        /^Job smoke has failed: BackoffLimitExceeded: it is over, its pod has left no term/,
      );
      assert.match(found.message, /; expected is a result as JSON .* or as JUnit XML on the log$/);
    });
  }

  test('and what was wrong with its termination message is said as well', async () => {
    const found = await outcome(new Logs('bye'), pod([{ name: 'suite', message: 'fine, thanks' }]));
    assert.ok(found.type === 'failed');
    assert.match(found.message, /message is no result \(.*: fine, thanks\), and the log .* "bye"/);
  });

  test('without a pod', async () => {
    const found = await outcome(new Logs(junit));
    assert.ok(found.type === 'failed');
    assert.match(found.message, /has failed: .*no container of it is known to have ended/);
  });

  test('and a fault that passes is asked for three times, a right that is missing once', async () => {
    const away = new Logs(new ClusterError('unavailable', 'no route'));
    const refused = new Logs(new ClusterError('forbidden', 'no'));
    await outcome(away, one);
    await outcome(refused, one);
    assert.deepEqual([away.asked.length, refused.asked.length], [3, 1]);
  });
});
