/** Snapshots in virtual time: when they are made, what is in them, and what is counted when they are not. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { snapshotCounts, snapshotsComplete } from '#core/evidence.ts';
import { asker, lookAtRun, type RunView } from '#core/view.ts';
import { ERRORS, errorsTrigger, HOUR, MINUTE, rolloutSpec, SECOND, T0 } from '#test/builders.ts';
import { finding } from '#test/chain-findings.ts';
import { EngineHarness, type HarnessOptions } from '#test/engine-harness.ts';
import { toIso } from './time.ts';

const twoDays = {
  steps: [
    { name: 'dark', at: '0h', weight: 0 },
    { name: 'half', at: '6h', weight: 50 },
    { name: 'full', at: '30h', weight: 100 },
  ],
  end: '48h',
};

function long(options: HarnessOptions = {}): EngineHarness {
  // A long interval of evaluation keeps 48 hours short; snapshots have moments of their own.
  const input = rolloutSpec({ schedule: twoDays, analysis: { interval: '1m' } });
  return new EngineHarness({ input, ...options });
}

function view(run: EngineHarness): RunView {
  const snapshot = run.observe();
  const seen = lookAtRun(snapshot, asker(snapshot).ask);
  assert.ok(seen !== undefined);
  return seen;
}

const indices = (run: EngineHarness) => run.evidence.records.map(({ index }) => index);
const upTo = (last: number) => Array.from({ length: last }, (_, at) => at + 1);

describe('snapshots', () => {
  test('of 48 hours at 5 minutes are 576, each at its very moment, the last one at the end', () => {
    const run = long({ startAt: T0 + 7 * SECOND });
    run.runUntil(T0 + 49 * HOUR);
    assert.equal(run.status.phase, 'Succeeded');
    assert.deepEqual(indices(run), upTo(576));
    for (const { at, dueAt, index } of run.evidence.records) {
      assert.equal(at, toIso(T0 + 7 * SECOND + index * 5 * MINUTE));
      assert.equal(dueAt, at);
    }
    assert.deepEqual(run.status.snapshots, { expected: 576, missing: 0, intervalMs: 5 * MINUTE });
    assert.deepEqual(snapshotsComplete(view(run), T0), { type: 'met' });
  });

  test('go on while the run is paused, and that time counts', () => {
    const run = long();
    run.runUntil(T0 + HOUR);
    run.annotate('pause 1');
    run.runUntil(T0 + 4 * HOUR);
    run.annotate('resume 2');
    run.runUntil(T0 + 5 * HOUR);
    assert.deepEqual(indices(run), upTo(60));
    assert.equal(run.evidence.records[20]?.phase, 'Paused');
  });

  test('go on while thenMonitorFor is waited for, and end with the run', () => {
    const run = new EngineHarness({ spec: { success: { thenMonitorFor: '1h' } } });
    run.runUntil(T0 + 10 * HOUR);
    assert.equal(run.status.phase, 'Succeeded');
    assert.deepEqual(indices(run), upTo(48));
    assert.equal(run.status.snapshots?.expected, 48);
    assert.equal(snapshotCounts(view(run))?.expected, 48);
  });

  test('of an hour in which nobody ran are 12 missing, shown, and never filled in', () => {
    const run = long();
    run.runUntil(T0 + 10 * HOUR + MINUTE);
    run.sleepUntil(T0 + 11 * HOUR + 3 * MINUTE);
    run.runUntil(T0 + 48 * HOUR);
    assert.equal(run.evidence.records.length, 564);
    assert.deepEqual(
      upTo(576).filter((index) => !indices(run).includes(index)),
      upTo(12).map((one) => 120 + one),
    );
    assert.equal(run.status.snapshots?.missing, 12);
    assert.deepEqual(snapshotsComplete(view(run), T0), {
      type: 'missed',
      message: '12 of 576 snapshots are missing',
    });
  });

  const lateness = [
    { lateMs: 150 * SECOND, isThere: true, name: 'half an interval late is in time' },
    { lateMs: 150 * SECOND + 1, isThere: false, name: 'later than half an interval is missing' },
  ];
  for (const { lateMs, isThere, name } of lateness) {
    test(name, () => {
      const run = long();
      run.runUntil(T0 + HOUR + MINUTE);
      const dueMs = T0 + HOUR + 5 * MINUTE;
      run.sleepUntil(dueMs + lateMs);
      run.runUntil(dueMs + lateMs);
      assert.equal(indices(run).includes(13), isThere);
      const record = run.evidence.records.find(({ index }) => index === 13);
      assert.equal(record?.dueAt, isThere ? toIso(dueMs) : undefined);
      assert.equal(record?.at, isThere ? toIso(dueMs + lateMs) : undefined);
      assert.equal(snapshotCounts(view(run))?.missing, isThere ? 0 : 1);
    });
  }

  test('that the store loses are tried again while they are in time, then missing', () => {
    const run = long();
    run.runUntil(T0 + HOUR);
    run.evidence.keeps = false;
    run.runUntil(T0 + HOUR + 6 * MINUTE);
    run.evidence.keeps = true;
    run.runUntil(T0 + HOUR + 9 * MINUTE);
    assert.deepEqual(indices(run), upTo(13));
    assert.equal(run.evidence.records.at(-1)?.at, toIso(T0 + HOUR + 7 * MINUTE));
    run.evidence.keeps = false;
    run.runUntil(T0 + HOUR + 14 * MINUTE);
    run.evidence.keeps = true;
    run.runUntil(T0 + HOUR + 15 * MINUTE);
    assert.equal(indices(run).at(-1), 15);
    assert.equal(snapshotCounts(view(run))?.missing, 1);
  });

  test('are made once, though the process dies before or after the status is written', () => {
    const run = long();
    run.runUntil(T0 + 6 * HOUR - MINUTE);
    run.crashNext = 'beforeActions';
    run.runUntil(T0 + 6 * HOUR);
    run.sleepUntil(T0 + 6 * HOUR + MINUTE);
    run.crashNext = 'beforeStatus';
    run.runUntil(T0 + 6 * HOUR + MINUTE);
    run.sleepUntil(T0 + 6 * HOUR + 2 * MINUTE);
    run.runUntil(T0 + 7 * HOUR);
    assert.deepEqual(indices(run), upTo(84));
  });

  test('keep their distance when the spec is edited in mid-run', () => {
    const run = long();
    run.runUntil(T0 + HOUR);
    run.edit({ snapshots: { interval: '1m' } });
    run.runUntil(T0 + 2 * HOUR);
    assert.deepEqual(indices(run), upTo(24));
    assert.equal(snapshotCounts(view(run))?.missing, 0);
  });

  test('of a new run begin at 1 again', () => {
    const run = long();
    run.runUntil(T0 + 31 * MINUTE);
    run.edit({ revision: 'v3' });
    run.runUntil(T0 + 42 * MINUTE);
    assert.deepEqual(indices(run), [...upTo(6), 1, 2]);
    assert.equal(new Set(run.evidence.records.map(({ runId }) => runId)).size, 2);
  });

  test('are not written into the status for their own sake', () => {
    const run = long();
    run.runUntil(T0 + HOUR);
    const { statusWrites } = run;
    run.runUntil(T0 + 5 * HOUR);
    assert.equal(run.evidence.records.length, 60);
    assert.equal(run.statusWrites, statusWrites);
  });
});

describe('a report', () => {
  test('is named and written although nobody knew what is kept when the run ended', () => {
    const run = new EngineHarness();
    run.evidence.isKnown = false;
    run.runUntil(T0 + 4 * HOUR);
    assert.equal(run.status.phase, 'Succeeded');
    assert.equal(run.status.history?.[0]?.report, undefined);
    run.evidence.isKnown = true;
    run.sleepUntil(T0 + 5 * HOUR);
    run.runFor(MINUTE);
    const { runId = '', history } = run.status;
    assert.equal(history?.[0]?.report, `configmap/${runId}-report`);
    assert.equal(run.evidence.stateOf(runId).report, 'final');
  });
});

describe('a record', () => {
  const metrics = [
    { name: 'errors', query: ERRORS },
    { name: 'memory', query: 'memory' },
  ];
  const spec = { analysis: { metrics }, triggers: [errorsTrigger] };

  test('has every metric, every trigger, firing alerts and the health of what watches', () => {
    const run = new EngineHarness({
      spec,
      world: {
        series: (query) => (query === 'memory' ? 2e7 : query.includes('ALERTS') ? 3 : 0.001),
      },
    });
    run.runUntil(T0 + 5 * MINUTE);
    const { runId: _, ...record } = run.evidence.records[0] ?? { runId: '' };
    assert.deepEqual(record, {
      type: 'snapshot',
      index: 1,
      dueAt: toIso(T0 + 5 * MINUTE),
      at: toIso(T0 + 5 * MINUTE),
      phase: 'Progressing',
      step: 'dark',
      weight: 0,
      triggers: [
        { name: 'errors', severity: 'Critical', state: 'Inactive', reading: { value: 0.001 } },
        { name: 'canary-down', severity: 'Critical', state: 'Inactive' },
      ],
      suites: [],
      metrics: { errors: { value: 0.001 }, memory: { value: 2e7 } },
      alerts: [{ name: '', count: 3 }],
      health: { prometheus: 'Up', alertmanager: 'NotConfigured', grafana: 'NotConfigured' },
    });
  });

  test('costs no query for what triggers ask anyway, and none that a decision waits for', () => {
    const run = new EngineHarness({ spec });
    run.runUntil(T0 + 5 * MINUTE);
    assert.deepEqual(
      run.evidence.questions.map(({ query }) => query),
      ['memory', 'count by (alertname, severity) (ALERTS{alertstate="firing",namespace="shop"})'],
    );
    assert.ok(!run.questions.some((one) => 'query' in one && one.query === 'memory'));
  });

  test('says why a value is not there', () => {
    const run = new EngineHarness({ spec, world: { series: () => 'absent' } });
    run.runUntil(T0 + 5 * MINUTE);
    run.world.fault = () => 'unreachable';
    run.runUntil(T0 + 10 * MINUTE);
    const [first, second] = run.evidence.records;
    assert.deepEqual(first?.metrics['memory'], {
      none: 'noData',
      message: 'the query answers nothing',
    });
    assert.equal(first?.health.prometheus, 'Up');
    assert.deepEqual(first?.alerts, []);
    assert.deepEqual(second?.metrics['memory'], {
      none: 'error',
      message: 'Prometheus: unreachable',
    });
    assert.equal(second?.health.prometheus, 'Down');
    assert.equal(second?.alerts, undefined);
  });

  test('has the health of Alertmanager and Grafana as the newest check has found it', () => {
    const down = finding('grafana', 'grafana', { cause: 'unreachable' });
    const chain = (nowMs: number) => ({ findings: nowMs < T0 + 7 * MINUTE ? [] : [down] });
    const run = new EngineHarness({ spec, world: { chain } });
    run.runUntil(T0 + 15 * MINUTE);
    assert.deepEqual(
      run.evidence.records.map(({ health }) => [health.alertmanager, health.grafana]),
      [
        ['Up', 'Up'],
        ['Up', 'Up'],
        ['Up', 'Down'],
      ],
    );
  });

  test('is JSON, whatever the values are', () => {
    const run = new EngineHarness({ spec, world: { series: () => Number.POSITIVE_INFINITY } });
    run.runUntil(T0 + 5 * MINUTE);
    const [record] = run.evidence.records;
    assert.deepEqual(JSON.parse(JSON.stringify(record)), record);
    assert.deepEqual(record?.metrics['memory'], { value: 'Infinity' });
  });
});
