/** `preflight.backtest` in a whole run: what stable's own history says of a threshold is said before any traffic moves. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RolloutSpecInput } from '#api/rollout.ts';
import { HOUR, MINUTE, SECOND, type SeriesOf, sequentialTrigger, T0 } from '#test/builders.ts';
import { EngineHarness } from '#test/engine-harness.ts';

const trigger = {
  name: 'errors',
  severity: 'Critical',
  query: 'errors{service="$(arm.service)"}',
  condition: '> 0.5%',
  for: '5m',
} as const;

/** Stable's share of errors; canary has none. */
function world(
  stableAt: (atMs: number) => number | 'absent',
  spec: Partial<RolloutSpecInput> = {},
): EngineHarness {
  const series: SeriesOf = (query, atMs) => (query.includes('"old"') ? stableAt(atMs) : 0);
  return new EngineHarness({
    hasHistory: true,
    spec: {
      triggers: [trigger],
      preflight: { backtest: { window: '336h', maxFirings: 0 } },
      ...spec,
    },
    world: { series },
  });
}

const bad = (fromMs: number, forMs: number) => (atMs: number) =>
  atMs >= T0 - fromMs && atMs < T0 - fromMs + forMs ? 0.01 : 0;

const backtest = (run: EngineHarness) => run.status.backtest;

describe("stable's own history", () => {
  test('without a hold lets the run start, and is in the status', () => {
    const run = world(() => 0.001);
    run.runUntil(T0 + MINUTE);
    assert.equal(run.status.phase, 'Progressing');
    assert.equal(backtest(run)?.outcome, 'Passed');
    const { message } = backtest(run) ?? {};
    assert.match(message ?? '', /^no trigger would have fired more than 0 times in the last 336h/);
  });

  test('in which a trigger would have fired names it, how often and when, before any traffic', () => {
    const twice = (atMs: number) =>
      Math.max(bad(200 * HOUR, HOUR)(atMs), bad(3 * HOUR, HOUR)(atMs));
    const run = world(twice);
    run.runUntil(T0 + 3 * HOUR);
    assert.equal(run.status.phase, 'Preflight');
    assert.deepEqual(
      run.status.holds?.map(({ reason, by }) => [reason, by]),
      [['BacktestFailed', 'preflight.backtest']],
    );
    assert.match(
      run.status.message ?? '',
      /errors \(> 0\.5% for 5m0s\) would have fired 2 times on stable in the last 336h.*, first at 2026-11-14T04:05:00Z; 0 allowed/,
    );
    assert.equal(run.weight(), 0);
  });

  test('is asked once, and in a steady state neither asked nor written', () => {
    const run = world(bad(3 * HOUR, HOUR));
    run.runUntil(T0 + MINUTE);
    const [writes, asked] = [run.statusWrites, ranges(run)];
    assert.ok(asked > 0);
    run.runUntil(T0 + 2 * HOUR);
    assert.deepEqual([run.statusWrites, ranges(run)], [writes, asked]);
  });

  test('is judged to the evaluation: what held for less than its time does not fire', () => {
    for (const [heldMs, outcome] of [
      [5 * MINUTE, 'Passed'],
      [5 * MINUTE + 15 * SECOND, 'Failed'],
    ] as const) {
      const run = world(bad(50 * HOUR, heldMs));
      run.runUntil(T0 + MINUTE);
      assert.equal(backtest(run)?.outcome, outcome);
    }
  });

  test('that dips in between is no hold, though a coarse look sees one', () => {
    // True at every point of a coarse grid, false at one evaluation in five.
    const dips = (atMs: number) =>
      bad(50 * HOUR, HOUR)(atMs) > 0 && atMs % (75 * SECOND) !== 15 * SECOND ? 0.01 : 0;
    const run = world(dips);
    run.runUntil(T0 + MINUTE);
    assert.equal(backtest(run)?.outcome, 'Passed');
  });

  test('may have as many firings as are allowed', () => {
    const preflight = { backtest: { window: '336h', maxFirings: 1 } };
    const run = world(bad(3 * HOUR, HOUR), { preflight });
    run.runUntil(T0 + MINUTE);
    assert.equal(run.status.phase, 'Progressing');
  });

  test('is only told where preflight advises, and not asked where it is skipped', () => {
    const settings = { backtest: { window: '336h', maxFirings: 0 } };
    const advised = world(bad(3 * HOUR, HOUR), { preflight: { ...settings, policy: 'Advise' } });
    advised.runUntil(T0 + MINUTE);
    assert.equal(advised.status.phase, 'Progressing');
    const told = advised.events.find(({ reason }) => reason === 'PreflightAdvice');
    assert.match(told?.note ?? '', /errors .* would have fired once on stable/);
    const skipped = world(bad(3 * HOUR, HOUR), { preflight: { ...settings, policy: 'Skip' } });
    skipped.runUntil(T0 + MINUTE);
    assert.equal(ranges(skipped), 0);
  });

  test('is tried anew with an edited threshold', () => {
    const run = world(bad(3 * HOUR, HOUR));
    run.runUntil(T0 + 10 * MINUTE);
    run.edit({ triggers: [{ ...trigger, condition: '> 2%' }] });
    run.runFor(MINUTE);
    assert.equal(run.status.phase, 'Progressing', run.status.message);
    assert.equal(backtest(run)?.outcome, 'Passed');
  });

  test('that cannot be read holds, and is asked for again after five minutes', () => {
    const run = world(() => 0);
    run.world.fault = (nowMs, question) =>
      question.type === 'range' && nowMs < T0 + 7 * MINUTE ? 'timeout' : undefined;
    run.runUntil(T0 + 9 * MINUTE);
    assert.deepEqual(
      run.status.holds?.map(({ reason }) => reason),
      ['BacktestUnknown'],
    );
    run.runUntil(T0 + 11 * MINUTE);
    assert.equal(run.status.phase, 'Progressing');
  });

  test('of no length is no history: the run starts', () => {
    const run = world((atMs) => (atMs < T0 - HOUR ? 'absent' : 0));
    run.runUntil(T0 + MINUTE);
    assert.equal(run.status.phase, 'Progressing');
  });

  test('of a sequential judge is not asked: chance does not make it fire', () => {
    const run = world(() => 0.01, { triggers: [sequentialTrigger] });
    run.world.series = (query) => (query.includes('bad{') ? 0 : 100);
    run.runUntil(T0 + MINUTE);
    assert.equal(ranges(run), 0);
    assert.equal(backtest(run)?.outcome, 'Passed');
  });
});

function ranges(run: EngineHarness): number {
  return run.questions.filter(({ type }) => type === 'range').length;
}
