/**
 * What must not matter: `kill -9` of the controller at any moment of a hold, a step or a rollback, and a Prometheus that is
 * away. The controller is the real one, as a process of its own; the random moments come from a seed that a failure prints.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import type { RolloutStatus } from '#api/status.ts';
import { systemClock } from '#runtime/clock.ts';
import {
  buildController,
  type ControllerProcess,
  startController,
} from '#scripts/demo/controller.ts';
import { createRunFolder, freePorts, type RunFolder } from '#scripts/testbed/index.ts';
import { randomFrom, Victim } from './controller-victim.ts';
import {
  holdSeconds,
  type ResilienceWorld,
  type Subject,
  startResilienceWorld,
} from './resilience-world.ts';

const buildsColdWithinMs = 40 * 60_000;
const toleranceMs = 2_000;
/** How late a busy machine may act. A hold that was lost would cost at least `holdSeconds`. */
const lateMaxMs = 1_000 * holdSeconds - 500;
/** How long Prometheus is away. Five minutes are tried by `RESILIENCE_AWAY_SECONDS=300 npm exec -- node --test test/cluster/resilience.test.ts`. */
const awayMs = 1_000 * Number(process.env['RESILIENCE_AWAY_SECONDS'] ?? 15);
const seed = Number(process.env['RESILIENCE_SEED'] ?? systemClock.now() % 1_000_000);

let world: ResilienceWorld;
let folder: RunFolder;
let ports: { readonly metrics: number; readonly health: number };

before(
  async () => {
    await buildController();
    folder = await createRunFolder();
    world = await startResilienceWorld();
    const [metrics = 0, health = 0] = await freePorts(2);
    ports = { metrics, health };
  },
  { timeout: buildsColdWithinMs },
);

after(async () => {
  await world.stop();
  await folder.remove();
});

async function controller(): Promise<ControllerProcess> {
  return await startController({
    kubeconfig: world.plane.kubeconfigPath,
    namespace: 'shop',
    prometheusUrl: world.prometheus.url,
    runFolder: folder.path,
    ports,
    // Leader election is on, as people run it: a restart takes the lease of its dead predecessor at once.
    flags: ['--leader-elect=true', '--log-level=debug'],
  });
}

const statusOf = (subject: Subject): RolloutStatus => subject.statuses.at(-1)?.status ?? {};
const phaseOf = (subject: Subject): string => statusOf(subject).phase ?? 'none';

async function until(
  what: string,
  isTrue: () => boolean,
  withinMs: number,
  subjects: readonly Subject[],
): Promise<void> {
  const deadlineMs = systemClock.monotonic() + withinMs;
  while (!isTrue()) {
    if (systemClock.monotonic() > deadlineMs) {
      const last = subjects.map((one) => `${one.name} ${phaseOf(one)}: ${statusOf(one).message}`);
      assert.fail(`not within ${withinMs} ms: ${what}; ${last.join('; ')}`);
    }
    await systemClock.sleep(50);
  }
}

const plan = (half: number, full: number, end: number) => ({
  steps: [
    { name: 'dark', at: '0s', weight: 0 },
    { name: 'half', at: `${half}s`, weight: 50 },
    { name: 'full', at: `${full}s`, weight: 100 },
  ],
  end: `${end}s`,
});

describe(`kill -9 at random moments (RESILIENCE_SEED=${seed})`, { timeout: 150_000 }, () => {
  const random = randomFrom(seed);
  const victim = new Victim(controller);
  const good: Subject[] = [];
  const bad: Subject[] = [];

  before(async () => {
    await victim.start();
    world.onWeight = (name, weight) => {
      // A version that turns bad some time after it has got its half.
      if (name.startsWith('bad') && weight === 50) {
        void systemClock.sleep(3_000 * random()).then(() => world.fail(name, 0.2));
      }
      // Between the route and the status, where half of the work is done; of a rollback always.
      const isRollback = weight === 0 && bad.some((one) => one.name === name);
      if (isRollback || random() < 0.4) victim.kill();
    };
    for (const [index, half] of [4, 6, 8].entries()) {
      good.push(await world.add(`good-${index}`, plan(half, 2 * half + 2, 2 * half + 6)));
      bad.push(await world.add(`bad-${index}`, plan(half, 90, 100)));
    }
    const subjects = [...good, ...bad];
    const hasEnded = () => subjects.every((one) => /^(Succeeded|RolledBack)$/.test(phaseOf(one)));
    const killUntilMs = systemClock.monotonic() + 40_000;
    while (!hasEnded() && systemClock.monotonic() < killUntilMs) {
      await systemClock.sleep(300 + 3_000 * random());
      victim.kill();
      await victim.settled();
    }
    world.onWeight = undefined;
    await until('every run has ended', hasEnded, 60_000, subjects);
  });
  after(async () => await victim.stop());

  test('there were kills enough for this to mean something', () => {
    assert.ok(victim.kills >= 8, `${victim.kills} kills`);
  });

  test('a good version goes 0, 50, 100 and succeeds', () => {
    for (const subject of good) {
      assert.equal(phaseOf(subject), 'Succeeded', subject.name);
      const weights = subject.weights.map(({ weight }) => weight);
      assert.deepEqual(weights, [0, 50, 100], subject.name);
      assert.equal(statusOf(subject).history?.length, 1);
    }
  });

  test('no step is early, and none late but for the time when there was no controller', () => {
    for (const { name, weights, statuses } of good) {
      for (const { seenAtMs, weight } of weights.filter((one) => one.weight > 0)) {
        // As it was planned then: time without readings moves what has not been passed yet.
        const before = statuses.findLast((one) => one.seenAtMs <= seenAtMs)?.status;
        const dueAt = before?.plan?.find((point) => point.weight === weight)?.dueAt;
        const dueMs = Date.parse(dueAt ?? '');
        assert.ok(seenAtMs >= dueMs, `${name} ${weight}% was set ${dueMs - seenAtMs} ms early`);
        const lateMs = victim.upBetween(dueMs, seenAtMs);
        assert.ok(lateMs <= lateMaxMs, `${name} ${weight}% was set ${lateMs} ms late`);
      }
    }
  });

  test('a bad version goes 0, 50, 0 and is rolled back once', () => {
    for (const subject of bad) {
      assert.equal(phaseOf(subject), 'RolledBack', subject.name);
      const weights = subject.weights.map(({ weight }) => weight);
      assert.deepEqual(weights, [0, 50, 0], subject.name);
      assert.equal(statusOf(subject).history?.length, 1);
      // Killed between the route and the status, the next process knows of the rollback by its mark on the route.
      const { reason = '' } = statusOf(subject).rollback ?? {};
      assert.match(reason, /^(TriggerFiring|RollbackResumed)$/, subject.name);
    }
  });

  test('it fires when Prometheus says that the breach has held, within two seconds', async (t) => {
    for (const subject of bad) {
      const { expectedMs, zeroMs } = await expectedFiring(subject);
      const firingAt = subject.statuses
        .flatMap(({ status }) => status.triggers ?? [])
        .find((one) => one.name === 'error-rate' && one.firingAt !== undefined)?.firingAt;
      const offMs = Date.parse(firingAt ?? '') - expectedMs;
      assert.ok(Math.abs(offMs) <= toleranceMs, `${subject.name} fired ${offMs} ms off`);
      assert.ok(zeroMs >= expectedMs - toleranceMs, `${subject.name} went back early`);
      const lateMs = victim.upBetween(expectedMs, zeroMs);
      assert.ok(lateMs <= lateMaxMs, `${subject.name} went back ${lateMs} ms late`);
      t.diagnostic(`${subject.name}: fired ${offMs} ms off, went back ${lateMs} ms later`);
    }
  });

  /** By the test's own question to Prometheus: since when was it over the threshold when it went back? */
  async function expectedFiring(subject: Subject) {
    const zeroMs = subject.weights.at(-1)?.seenAtMs ?? 0;
    const sinceMs = await world.overThresholdSince(subject.name, zeroMs);
    assert.ok(sinceMs !== undefined, `${subject.name} was over its threshold`);
    return { expectedMs: sinceMs + 1_000 * holdSeconds, zeroMs };
  }
});

describe(`a Prometheus that is away for ${awayMs / 1_000} s in mid-run`, {
  timeout: 150_000 + awayMs,
}, () => {
  const victim = new Victim(controller);
  let steady: Subject;
  let pending: Subject;
  let back = 0;
  let gone = 0;
  const during = { steady: {} as RolloutStatus, pending: {} as RolloutStatus };
  const errorRate = ({ triggers }: RolloutStatus) =>
    triggers?.find(({ name }) => name === 'error-rate');

  before(
    async () => {
      await victim.start();
      steady = await world.add('steady', plan(4, 14, 20));
      pending = await world.add('pending', plan(4, 90 + awayMs / 1_000, 100 + awayMs / 1_000));
      const subjects = [steady, pending];
      const areAtHalf = () => subjects.every(({ weights }) => weights.at(-1)?.weight === 50);
      await until('both are at 50 %', areAtHalf, 20_000, subjects);
      await systemClock.sleep(2_000);
      world.fail('pending', 0.2);
      const isPending = () => errorRate(statusOf(pending))?.state === 'Pending';
      await until('a trigger is pending', isPending, 10_000, subjects);
      gone = systemClock.now();
      await world.prometheus.stopServer({ signal: 'SIGKILL' });
      await systemClock.sleep(awayMs / 2);
      // A fresh process knows nothing but the status.
      victim.kill();
      await victim.settled();
      await systemClock.sleep(awayMs / 2);
      Object.assign(during, { steady: statusOf(steady), pending: statusOf(pending) });
      await world.prometheus.startServer();
      back = systemClock.now();
      const haveEnded = () =>
        subjects.every((one) => /^(Succeeded|RolledBack)$/.test(phaseOf(one)));
      await until('both have ended', haveEnded, 60_000, subjects);
    },
    { timeout: 150_000 + awayMs },
  );
  after(async () => await victim.stop());

  test('nothing is promoted and nothing rolled back', () => {
    for (const { weights } of [steady, pending]) {
      const moved = weights.filter(({ seenAtMs }) => seenAtMs > gone && seenAtMs < back);
      assert.deepEqual(moved, []);
    }
    assert.equal(during.pending.rollback, undefined);
    assert.equal(during.steady.weight, 50);
  });

  test('the status says why', () => {
    for (const status of [during.steady, during.pending]) {
      assert.equal(status.phase, 'Held');
      assert.match(status.message ?? '', /error-rate has no reading: .*cannot be reached/);
      assert.deepEqual(
        status.holds?.map(({ reason, by }) => [reason, by]),
        [['PrometheusDown', 'error-rate']],
      );
      const metrics = status.conditions?.find(({ type }) => type === 'MetricsAvailable');
      assert.equal(metrics?.status, 'False');
      assert.equal(errorRate(status)?.state, 'Unknown');
    }
  });

  test('afterwards the good one goes on, its next step later by the time without readings', () => {
    assert.equal(phaseOf(steady), 'Succeeded');
    // Before the operator has looked the API server says by itself that the rollout is new.
    const start = steady.statuses.find(({ status }) => status.startedAt !== undefined);
    const planned = Date.parse(start?.status.startedAt ?? '') + 14_000;
    const full = steady.weights.find(({ weight }) => weight === 100)?.seenAtMs ?? 0;
    const laterMs = full - planned;
    assert.ok(laterMs >= back - gone - toleranceMs, `only ${laterMs} ms later`);
  });

  test('afterwards the bad one is rolled back, for a hold that Prometheus has seen', () => {
    assert.equal(phaseOf(pending), 'RolledBack');
    const { firingAt = '' } = pending.statuses
      .flatMap(({ status }) => errorRate(status) ?? [])
      .find((one) => one.firingAt !== undefined) ?? { firingAt: '' };
    assert.ok(Date.parse(firingAt) >= back + 1_000 * holdSeconds - toleranceMs);
  });
});
