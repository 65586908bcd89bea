/**
 * Reports against golden files, which a person can read as well: `UPDATE_GOLDEN=1 node --test test/report.test.ts` writes
 * them anew.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { EventRecord } from '#core/record.ts';
import type { Report } from '#core/report/data.ts';
import { type MadeReport, makeReport } from '#core/report/report.ts';
import { withoutSecrets } from '#core/report/secrets.ts';
import { heldOf, timelineOf } from '#core/report/timeline.ts';
import { ERRORS, errorsTrigger, HOUR, MINUTE, SECOND, T0 } from '#test/builders.ts';
import { EngineHarness } from '#test/engine-harness.ts';

const golden = join(import.meta.dirname, 'golden/reports');
const spec = {
  analysis: {
    metrics: [
      { name: 'errors', query: ERRORS },
      { name: 'memory', query: 'sum(memory{pod=~"new|old"})' },
    ],
  },
  triggers: [errorsTrigger],
  schedule: {
    steps: [
      { name: 'dark', at: '0h', weight: 0 },
      { name: 'half', at: '1h', weight: 50 },
      { name: 'full', at: '2h', weight: 100 },
    ],
    checkpoints: [{ name: 'look', at: '30m', require: ['NoFiringTriggers'] as const }],
    end: '3h',
  },
  success: {
    criteria: [{ name: 'errors', metric: 'errors', condition: '< 0.2%' }],
    require: ['SnapshotsComplete', 'NoRollbacks'] as const,
  },
};

/** A pause of ten minutes, a quarter of an hour in which nobody runs, then errors. */
function incident(): EngineHarness {
  const run = new EngineHarness({ spec });
  run.world.series = (query, atMs) =>
    query.includes('ALERTS') ? 'absent' : query.includes('memory') ? 2e7 : errorsAt(query, atMs);
  run.runUntil(T0 + 80 * MINUTE);
  run.annotate('pause 1');
  run.runUntil(T0 + 90 * MINUTE);
  run.annotate('resume 2');
  run.runUntil(T0 + 95 * MINUTE);
  run.sleepUntil(T0 + 110 * MINUTE);
  run.runUntil(T0 + 3 * HOUR);
  return run;
}

function errorsAt(query: string, atMs: number): number {
  return query.includes('"new"') && atMs >= T0 + 112 * MINUTE ? 0.072 : 0.0008;
}

function success(): EngineHarness {
  const run = new EngineHarness({ spec });
  run.world.series = (query) =>
    query.includes('ALERTS') ? 'absent' : query.includes('memory') ? 2e7 : 0.0008;
  run.runUntil(T0 + 4 * HOUR);
  return run;
}

function reportOf(run: EngineHarness): MadeReport {
  const report = run.evidence.report(run.status.runId ?? '');
  assert.ok(report !== undefined);
  return report;
}

describe('the report', () => {
  const cases = [
    { name: 'incident', run: incident, phase: 'RolledBack' },
    { name: 'success', run: success, phase: 'Succeeded' },
  ] as const;
  for (const { name, run, phase } of cases) {
    test(`of ${name === 'incident' ? 'an incident' : 'a success'} reads as its golden file`, () => {
      const made = run();
      assert.equal(made.status.phase, phase);
      const { data, markdown } = reportOf(made);
      const path = join(golden, `${name}.md`);
      if (process.env['UPDATE_GOLDEN'] !== undefined) writeFileSync(path, markdown);
      assert.equal(markdown, readFileSync(path, 'utf8'));
      assert.ok(!/\b(NaN|undefined|null|Invalid Date|\[object)\b/.test(markdown));
      assert.deepEqual(JSON.parse(JSON.stringify(data)), data);
      assert.equal(data.isFinal, true);
      const [last] = made.status.history ?? [];
      assert.equal(last?.report, `configmap/${made.status.runId}-report`);
      assert.equal(last?.message, data.message);
    });
  }

  test('counts what nobody recorded, and says when', () => {
    const { data } = reportOf(incident());
    assert.equal(data.snapshots.missing, 2);
    assert.deepEqual(data.snapshots.gaps, [
      { from: 20, to: 21, fromAt: '2026-11-22T13:40:00Z', toAt: '2026-11-22T13:45:00Z' },
    ]);
    assert.deepEqual(
      data.held.map(({ forMs }) => forMs),
      [10 * MINUTE],
    );
  });

  test('is made before the run has ended too, and says so; of nothing as well', () => {
    const run = new EngineHarness({ spec });
    run.runUntil(T0 + SECOND);
    const recorded = run.observe().recorded;
    assert.ok(recorded !== undefined);
    const source = { namespace: 'shop', name: 'checkout', run: recorded, atMs: run.now };
    for (const status of [run.status, {}]) {
      const { markdown } = makeReport({ ...source, status, isFinal: false }, []);
      assert.match(markdown, /before the run has ended/);
      assert.ok(!/\b(NaN|undefined|Invalid)\b/.test(markdown), markdown);
    }
  });

  test('tells from the status what no event has told, and nothing twice', () => {
    const { status } = incident();
    const what = (events: readonly EventRecord[]) =>
      timelineOf(status, events, []).map((entry) => entry.what);
    assert.deepEqual(what([]), [
      'RunStarted',
      'StepPassed',
      'CheckpointPassed',
      'StepPassed',
      'Decision',
      'Decision',
      'TriggerFired',
      'RollbackStarted',
      ...status.rollback!.stages.map(() => 'StageEnded'),
      'RunEnded',
    ]);
    const told: EventRecord = {
      type: 'event',
      at: status.startedAt ?? '',
      kind: 'Normal',
      reason: 'RunStarted',
      note: 'told',
    };
    assert.equal(what([told]).filter((one) => one === 'RunStarted').length, 1);
  });

  test('leaves the middle of a very long timeline out, and says how much', () => {
    const events = Array.from(
      { length: 5000 },
      (_, at): EventRecord => ({
        type: 'event',
        at: new Date(T0 + at * SECOND).toISOString(),
        kind: 'Normal',
        reason: 'Held',
        note: `${at}`,
      }),
    );
    const entries = timelineOf({}, events, []);
    assert.equal(entries.length, 1001);
    assert.equal(entries[300]?.text, '4000 entries are left out here');
    assert.equal(entries.at(-1)?.text, '4999');
  });

  test('knows a hold that lasted to the end', () => {
    const held: EventRecord = {
      type: 'event',
      at: new Date(T0).toISOString(),
      kind: 'Warning',
      reason: 'Held',
      note: 'why',
    };
    assert.deepEqual(heldOf([held], T0 + HOUR), [{ from: held.at, forMs: HOUR, why: ['why'] }]);
  });

  test('has no credentials in any sentence', () => {
    const { data } = reportOf(success());
    const message =
      'GET https://u:p4ss@host/x?token=abcdef&b=1 answered 401 to Bearer abcdefgh12345678';
    const report: Report = withoutSecrets({ ...data, message });
    assert.equal(report.message, 'GET https://…@host/x?token=…&b=1 answered 401 to Bearer …');
    assert.deepEqual(withoutSecrets(data), data);
  });
});
