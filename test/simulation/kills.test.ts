/**
 * The 48-hour example, killed 50 times: it ends as if it had not been, but for what fell due while nobody ran. Read
 * every 30 seconds instead of every 15, which changes nothing but how long this takes.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import type { RolloutSpecInput } from '#api/rollout.ts';
import { HOUR, MINUTE, SECOND, suiteRun } from '#test/builders.ts';
import { EngineHarness } from '#test/engine-harness.ts';
import { randomOf } from './random.ts';

const example: { readonly spec: RolloutSpecInput } = parse(
  readFileSync(new URL('../../examples/genesis-48h.yaml', import.meta.url), 'utf8'),
);
/** A Monday, so that the weekend is far. */
const START = Date.UTC(2026, 10, 23, 8);
const KILLS = 50;
const SNAPSHOT_MS = 5 * MINUTE;
const SNAPSHOTS = 576;
/** After the crash another goes on for so long, until it is gone as well. */
const TAKEOVER_MS = 61 * SECOND;

/** Healthy values, the first that fits a query. */
const healthy: readonly (readonly [RegExp, number])[] = [
  [/ALERTS/, 0],
  [/outcome="error"/, 0],
  [/^sum\(rate\(genesis_requests_total/, 100],
  [/genesis_request_duration/, 0.1],
  [/osworld_success/, 0.95],
  [/osworld_memory|langmem_memory/, 1_000_000],
  [/dedup_rate/, 0.5],
  [/langmem_p95/, 0.05],
  [/up/, 1],
];

interface Kill {
  readonly atMs: number;
  /** How long nobody runs. */
  readonly absentMs: number;
  readonly crash: 'beforeFirst' | 'beforeStatus' | 'beforeActions';
}

/** Approved in its time; and the CPU is high for an hour, which holds and is then let go. */
function runThrough(
  kills: readonly Kill[],
  { criteria = [], require = [] } = example.spec.success ?? {},
): EngineHarness {
  const { analysis, success } = example.spec;
  assert.ok(analysis !== undefined && success !== undefined);
  const harness = new EngineHarness({
    input: {
      ...example.spec,
      analysis: { ...analysis, interval: '30s' },
      success: { ...success, criteria: [...criteria], require: [...require], thenMonitorFor: '0s' },
    },
    startAt: START,
    world: {
      suite: () => suiteRun({ passed: 100, tookMs: 5 * SECOND }),
      series: (query, atMs) => {
        if (query.includes('container_cpu')) {
          return atMs >= START + 10 * HOUR && atMs < START + 11 * HOUR ? 0.9 : 0.1;
        }
        return /growth|deriv/.test(query)
          ? 0
          : (healthy.find(([pattern]) => pattern.test(query))?.[1] ?? 0.1);
      },
    },
  });
  harness.author = 'author@example.com';
  let isApproved = false;
  const goOnUntil = (atMs: number) => {
    const approvalMs = START + 29 * HOUR;
    if (!isApproved && atMs >= approvalMs) {
      harness.runUntil(Math.max(harness.now, approvalMs));
      harness.decide({ decision: 'Approve', step: 'full' });
      isApproved = true;
    }
    harness.runUntil(atMs);
  };
  for (const { atMs, absentMs, crash } of kills) {
    goOnUntil(atMs);
    // It dies in the middle of what it does next.
    harness.crashNext = crash;
    goOnUntil(atMs + TAKEOVER_MS);
    harness.restart();
    harness.sleepUntil(atMs + TAKEOVER_MS + absentMs);
  }
  goOnUntil(START + 60 * HOUR);
  return harness;
}

/** At most one in 50 minutes, so that one absence is over before the next begins. */
function drawKills(seed: number, absentMaxMs: number): readonly Kill[] {
  const random = randomOf(seed);
  return Array.from({ length: KILLS }, (_, index) => ({
    atMs: START + index * 50 * MINUTE + random.int(2 * MINUTE, 20 * MINUTE) + random.int(0, 59_999),
    absentMs: random.int(0, absentMaxMs),
    crash: random.pick(['beforeFirst', 'beforeStatus', 'beforeActions']),
  }));
}

function story({ status, events }: EngineHarness) {
  return {
    phase: status.phase,
    weight: status.weight,
    step: status.step,
    passed: status.plan?.map(({ name, passedAt }) => [name, passedAt !== undefined]),
    checkpoints: status.checkpoints?.map(({ name, outcome }) => [name, outcome]),
    decisions: status.decisions?.map(({ decision, by, outcome }) => [decision, by, outcome]),
    history: status.history?.map(({ revision, outcome }) => [revision, outcome]),
    success: status.success?.outcome,
    holds: status.holds,
    told: ['StepEntered', 'CheckpointPassed', 'DecisionApplied', 'TriggerFired', 'Succeeded'].map(
      (reason) => [reason, events.filter((one) => one.reason === reason).length],
    ),
  };
}

const indicesOf = ({ evidence }: EngineHarness) => evidence.records.map(({ index }) => index);

describe('a two-day rollout that is killed 50 times', () => {
  const alone = runThrough([]);

  test('succeeds when it is left alone, with every snapshot', () => {
    assert.equal(alone.status.phase, 'Succeeded');
    assert.deepEqual(
      indicesOf(alone).slice(0, SNAPSHOTS),
      Array.from({ length: SNAPSHOTS }, (_, index) => index + 1),
    );
  });

  test('ends the same where another process takes over within a minute', () => {
    const killed = runThrough(drawKills(1, 30 * SECOND));
    assert.deepEqual(story(killed), story(alone));
    assert.deepEqual(indicesOf(killed).slice(0, SNAPSHOTS), indicesOf(alone).slice(0, SNAPSHOTS));
    // Results of health suites outlive a process, so not even the end comes later.
    assert.equal(endOf(killed), endOf(alone));
  });

  test('lacks only the snapshots of the time nobody ran', () => {
    const kills = drawKills(2, 20 * MINUTE);
    // A snapshot that nobody makes is missing, and a suite that nobody runs has no result: either would extend the run.
    const killed = runThrough(kills, {
      criteria: (example.spec.success?.criteria ?? []).filter(({ suite }) => suite === undefined),
      require: ['NoCriticalTriggers', 'NoCriticalAlerts', 'NoRollbacks'],
    });
    assert.deepEqual(story(killed), story(alone));
    const recorded = indicesOf(killed).filter((index) => index <= SNAPSHOTS);
    const expected = Array.from({ length: SNAPSHOTS }, (_, index) => index + 1).filter(
      (index) => !kills.some((kill) => wasAbsentFor(kill, index)),
    );
    assert.ok(expected.length < SNAPSHOTS - 20, 'absences were long enough to miss some');
    assert.deepEqual(recorded, expected);
    const { expected: due = 0, missing } = killed.status.snapshots ?? {};
    assert.equal(missing, due - indicesOf(killed).length);
  });
});

/** A snapshot comes up to half its interval late; after that it is missing. */
function wasAbsentFor({ atMs, absentMs }: Kill, index: number): boolean {
  const fromMs = atMs + TAKEOVER_MS;
  const dueMs = START + index * SNAPSHOT_MS;
  return dueMs > fromMs && dueMs + SNAPSHOT_MS / 2 < fromMs + absentMs;
}

function endOf({ status }: EngineHarness): string | undefined {
  return status.plan?.at(-1)?.passedAt;
}
