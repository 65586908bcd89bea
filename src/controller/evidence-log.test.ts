/** Evidence on its way: never in the way of a look, tried again, kept once, and counted where it is lost. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { configMapResource } from '#api/names.ts';
import type { RolloutStatus } from '#api/status.ts';
import { createConfigMapStore } from '#evidence/config-map-store.ts';
import { ClusterError, type KubeObject } from '#ports/cluster.ts';
import type { EvidenceStore } from '#ports/evidence-store.ts';
import { silentLogger } from '#ports/logger.ts';
import { HOUR, MINUTE, SECOND, suiteRun, T0 } from '#test/builders.ts';
import { EngineHarness } from '#test/engine-harness.ts';
import { FakeApiServer, FakeCluster } from '#test/fakes/cluster.ts';
import { VirtualClock } from '#test/kube/virtual-clock.ts';
import type { RecordSnapshot, WriteReport } from './evidence.ts';
import { EvidenceLog } from './evidence-log.ts';

const rollout: KubeObject = {
  apiVersion: 'genesis.dev/v1alpha1',
  kind: 'GenesisRollout',
  metadata: { namespace: 'shop', name: 'checkout', uid: 'u-1' },
};
const key = { namespace: 'shop', name: 'checkout' };

function heldEvent({ at, note = 'n' }: { readonly at: string; readonly note?: string }) {
  return { type: 'event', at, kind: 'Normal', reason: 'Held', note } as const;
}

class Bench {
  readonly server = new FakeApiServer();
  readonly cluster = new FakeCluster({ server: this.server });
  readonly clock = new VirtualClock();
  readonly told: string[] = [];
  readonly changes: string[] = [];
  readonly log: EvidenceLog;
  readonly harness = new EngineHarness();

  constructor(store?: EvidenceStore) {
    this.log = new EvidenceLog({
      store: store ?? createConfigMapStore({ cluster: this.cluster }),
      clock: this.clock,
      logger: silentLogger,
      observer: { told: (outcome, count) => this.told.push(`${outcome} ${count}`) },
      onChange: ({ name }) => this.changes.push(name),
    });
    this.harness.runUntil(T0 + SECOND);
  }

  get status(): RolloutStatus {
    return this.harness.status;
  }

  state(keepRuns = 3) {
    return this.log.stateOf(rollout, this.status, keepRuns);
  }

  /** The actions that the engine asks for at the next snapshot. */
  snapshot(): RecordSnapshot {
    this.harness.evidence.keeps = false;
    for (;;) {
      this.harness.now = this.harness.nextAt ?? this.harness.now;
      const action = this.harness.look().actions.find((one) => one.type === 'RecordSnapshot');
      if (action !== undefined) {
        this.harness.evidence.keeps = true;
        this.harness.evidence.carryOut(action, () => ({ type: 'samples', samples: [], skewMs: 0 }));
        return action;
      }
    }
  }

  keep(action: RecordSnapshot): void {
    this.log.keepSnapshot(rollout, action, () =>
      Promise.resolve({ type: 'samples', samples: [], skewMs: 0 }),
    );
  }

  /** Timers of the virtual clock, and what zlib does in real time in between. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 500) {
      await this.clock.advance(Math.min(500, left));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** However long zlib takes. */
  async until(isSo: () => boolean): Promise<void> {
    for (let round = 0; !isSo() && round < 2_000; round += 1) await this.pass(500);
    assert.ok(isSo());
  }

  report(isFinal: boolean): WriteReport {
    const run = this.harness.observe().recorded;
    assert.ok(run !== undefined);
    const source = { ...key, run, status: this.status, atMs: this.harness.now, isFinal };
    return { type: 'WriteReport', runId: this.status.runId ?? '', source };
  }

  configMap(name: string): KubeObject | undefined {
    return this.server.get(configMapResource, { namespace: 'shop', name });
  }

  names(): string[] {
    return this.server
      .list(configMapResource)
      .map(({ metadata }) => metadata.name)
      .toSorted();
  }
}

describe('the log of evidence', () => {
  test('says nothing until the store has said what it has, then asks for a look', async () => {
    const one = new Bench();
    assert.equal(one.state(), undefined);
    await one.pass(SECOND);
    assert.deepEqual(one.changes, ['checkout']);
    assert.deepEqual(one.state()?.recorded, []);
    assert.match(one.state()?.reportAt ?? '', /^configmap\/checkout-[0-9a-f]{16}-report$/);
  });

  test('lets what is due at the start of a process go before runs that were there already', async () => {
    const one = new Bench();
    one.log.stateOf(rollout, { ...one.status, startedAt: '2026-11-20T12:00:00Z' }, 3);
    await one.pass(2 * SECOND);
    assert.deepEqual(one.changes, []);
    await one.pass(2 * SECOND);
    assert.deepEqual(one.changes, ['checkout']);
  });

  test('keeps every run of a suite as it ends, for the next process', async () => {
    const one = new Bench();
    const { runId = '' } = one.status;
    const running = { ...rollout, status: one.status };
    // Nothing is kept of it, as is known once the store has said so.
    assert.equal(one.log.keptSuiteRuns(running, runId), undefined);
    await one.until(() => one.log.keptSuiteRuns(running, runId)?.size === 0);
    const { outcome } = suiteRun({ passed: 9, failed: 1 });
    const run = { startedAtMs: T0 + SECOND, finishedAtMs: T0 + 4 * SECOND, outcome };
    const suite = {
      name: 'health',
      intervalMs: MINUTE,
      timeoutMs: MINUTE,
      runner: { type: 'http', url: 'http://suite/run' },
      knownFlaky: [],
    } as const;
    const order = { rollout: running, suite, runId, dueAtMs: T0 };
    one.log.keepSuiteRun(order, run);
    // One that a Job of an older run has brought belongs to no run that is kept now.
    one.log.keepSuiteRun({ ...order, runId: 'older' }, run);
    await one.until(() => one.told.length > 0);
    assert.deepEqual(one.told, ['kept 1']);
    const next = new EvidenceLog({
      store: createConfigMapStore({ cluster: new FakeCluster({ server: one.server }) }),
      clock: one.clock,
      logger: silentLogger,
      onChange: ({ name }) => one.changes.push(`next ${name}`),
    });
    assert.equal(next.keptSuiteRuns(running, runId), undefined);
    await one.until(() => next.keptSuiteRuns(running, runId) !== undefined);
    assert.ok(one.changes.includes('next checkout'));
    assert.deepEqual(next.keptSuiteRuns(running, runId), new Map([['health', [run]]]));
  });

  test('keeps a snapshot once, at once for the engine, and for the next process', async () => {
    const one = new Bench();
    one.state();
    await one.pass(4 * SECOND);
    const first = one.snapshot();
    one.keep(first);
    one.keep(first);
    assert.deepEqual(one.state()?.recorded, [[1, 1]]);
    one.keep(one.snapshot());
    await one.pass(3 * SECOND);
    assert.deepEqual(one.told, ['kept 2']);
    const next = new EvidenceLog({
      store: createConfigMapStore({ cluster: new FakeCluster({ server: one.server }) }),
      clock: one.clock,
      logger: silentLogger,
      onChange: () => undefined,
    });
    next.stateOf(rollout, one.status, 3);
    await one.pass(4 * SECOND);
    assert.deepEqual(next.stateOf(rollout, one.status, 3)?.recorded, [[1, 2]]);
  });

  test('of a store that fails for an hour loses nothing, and tries less and less often', async () => {
    const one = new Bench();
    one.state();
    await one.pass(4 * SECOND);
    let isDown = true;
    one.cluster.before = () => {
      if (isDown) throw new ClusterError('unavailable', 'the API server is down');
    };
    for (let count = 0; count < 12; count += 1) one.keep(one.snapshot());
    await one.pass(2 * MINUTE);
    assert.ok(one.told.length >= 3 && one.told.length <= 10, one.told.join());
    assert.deepEqual(one.state()?.recorded, [[1, 12]]);
    isDown = false;
    await one.pass(MINUTE + SECOND);
    assert.equal(one.told.at(-1), 'kept 12');
  });

  test('of a store that hangs keeps nobody waiting, and gives up the oldest in the end', async () => {
    const hanging = new Promise<never>(() => undefined);
    const kept = createConfigMapStore({ cluster: new FakeCluster() });
    const one = new Bench({
      ...kept,
      runs: () => Promise.resolve([]),
      append: () => hanging,
      reportAt: () => 'configmap/report',
    });
    one.state();
    await one.pass(4 * SECOND);
    const { runId = '' } = one.status;
    one.keep(one.snapshot());
    await one.pass(SECOND);
    const at = one.status.startedAt ?? '';
    for (let count = 0; count < 300; count += 1) {
      one.log.keepEvents(rollout, one.status, [heldEvent({ at, note: `${count}` })]);
    }
    assert.ok(one.told.filter((outcome) => outcome === 'lost 1').length >= 44);
    assert.deepEqual(one.log.stateOf(rollout, { runId }, 3)?.recorded, [], 'it is missing now');
    await one.pass(30 * SECOND);
    assert.ok(one.told.includes('failed 1'));
  });

  test('writes a report from everything that was kept, and closes the run with the last one', async () => {
    const one = new Bench();
    one.state();
    await one.pass(4 * SECOND);
    one.keep(one.snapshot());
    one.log.keepReport(rollout, one.report(false));
    assert.equal(one.state()?.report, 'none');
    await one.pass(3 * SECOND);
    assert.equal(one.state()?.report, 'interim');
    one.log.keepReport(rollout, one.report(true));
    assert.equal(one.state()?.report, 'final', 'on its way');
    await one.pass(3 * SECOND);
    assert.deepEqual(one.changes, ['checkout', 'checkout', 'checkout']);
    const [, report] = one.names();
    assert.ok(report?.startsWith('checkout-') && one.names().length === 2);
    for (const name of one.names()) {
      const object = one.configMap(name);
      assert.equal(object?.['immutable'], true, name);
      const data = JSON.stringify(object?.['data'] ?? {});
      assert.ok(!/NaN|undefined/.test(data), data);
    }
  });

  test('keeps as many runs as the spec says, the newest ones', async () => {
    const one = new Bench();
    const store = createConfigMapStore({ cluster: one.cluster });
    const owner = { ...key, apiVersion: rollout.apiVersion, kind: rollout.kind, uid: 'u-1' };
    const never = new AbortController().signal;
    for (const runId of ['oldest', 'older', 'old']) {
      await store.append({ owner, runId, number: 0 }, [heldEvent({ at: 't' })], never);
    }
    one.state(2);
    await one.pass(5 * SECOND);
    assert.deepEqual(one.names(), ['checkout-old-s0000']);
  });

  test('closes a segment when the next one has begun', async () => {
    const one = new Bench();
    one.state();
    await one.pass(4 * SECOND);
    const { runId = '', startedAt } = one.status;
    const event = (offsetMs: number) => heldEvent({ at: new Date(T0 + offsetMs).toISOString() });
    assert.equal(startedAt, '2026-11-22T12:00:00Z');
    one.log.keepEvents(rollout, one.status, [event(HOUR), event(7 * HOUR)]);
    await one.pass(3 * SECOND);
    const isClosed = (segment: string) =>
      one.configMap(`checkout-${runId}-${segment}`)?.['immutable'];
    assert.equal(isClosed('s0000'), true);
    assert.equal(isClosed('s0001'), undefined);
  });

  test('writes what is waiting before the process ends', async () => {
    const one = new Bench();
    one.state();
    await one.pass(4 * SECOND);
    one.keep(one.snapshot());
    const closed = one.log.close(new AbortController().signal);
    await one.pass(2 * SECOND);
    await closed;
    assert.deepEqual(one.told, ['kept 1']);
  });
});
