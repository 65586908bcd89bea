/** Whole rollouts under noise, with counters as Prometheus scrapes them: whom does the sequential judge send back? */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RolloutSpecInput } from '#api/rollout.ts';
import { HOUR, MINUTE, SECOND, type SeriesOf, T0 } from '#test/builders.ts';
import { EngineHarness } from '#test/engine-harness.ts';
import { poisson } from '#test/fakes/noise.ts';
import { ScrapedCounter } from '#test/fakes/scraped-counter.ts';
import { randomOf } from '#test/simulation/random.ts';

const trigger = {
  name: 'errors',
  severity: 'Critical',
  ratio: {
    bad: 'sum(rate(bad{service="$(arm.service)"}[5m])) or vector(0)',
    total: 'sum(rate(all{service="$(arm.service)"}[5m]))',
  },
  condition: '> 0.5%',
  judge: 'Sequential',
} as const;

const HALF = T0 + 6 * HOUR;
const FULL = T0 + 30 * HOUR;
const twoDays: NonNullable<RolloutSpecInput['schedule']> = {
  steps: [
    { name: 'dark', at: '0h', weight: 0 },
    { name: 'half', at: '6h', weight: 50 },
    { name: 'full', at: '30h', weight: 100 },
  ],
  end: '48h',
};

type Arm = 'old' | 'new';
/** Share of bad requests of an arm at a time. */
type BadAt = (arm: Arm, atMs: number) => number;

const EVERY = 15 * SECOND;

/** Both Services under load, split by the route as it stands. */
class Traffic {
  readonly #counters: Record<Arm, { bad: ScrapedCounter; all: ScrapedCounter }>;
  readonly #perSecond: number;
  readonly #badAt: BadAt;
  readonly #random = randomOf(7);
  #share = () => 0;

  constructor(perSecond: number, badAt: BadAt) {
    // At every tick canary has just been scraped, and stable long ago.
    const counters = (phaseMs: number) => {
      const scrapes = { everyMs: EVERY, firstMs: T0 - HOUR + phaseMs };
      return { bad: new ScrapedCounter(scrapes), all: new ScrapedCounter(scrapes) };
    };
    this.#counters = { old: counters(SECOND), new: counters(14 * SECOND) };
    this.#perSecond = perSecond;
    this.#badAt = badAt;
  }

  rollout(spec: Partial<RolloutSpecInput> = {}): EngineHarness {
    const series: SeriesOf = (query, atMs) => this.#answer(query, atMs);
    const run = new EngineHarness({
      spec: { schedule: twoDays, triggers: [trigger], ...spec },
      world: { series },
    });
    this.#share = () => run.weight();
    return run;
  }

  #answer(query: string, atMs: number): number | 'absent' {
    this.#serveUntil(atMs);
    const arm: Arm = query.includes('service="new"') ? 'new' : 'old';
    const { bad, all } = this.#counters[arm];
    const counter = query.includes('bad{') ? bad : all;
    const fromMs = atMs - Number(/\[(\d+)ms\]/.exec(query)?.[1] ?? 5 * MINUTE);
    const increase = counter.increase(fromMs, atMs);
    const isRate = query.includes('rate(');
    const isSeen = query.includes('* (1 - 2.2 / (count_over_time(');
    const value = isRate ? increase && increase / 300 : increase;
    return this.#found(query, isSeen ? counter.counted(fromMs, atMs) : value);
  }

  #found(query: string, value: number | undefined): number | 'absent' {
    return value ?? (query.includes('vector(0)') ? 0 : 'absent');
  }

  #serveUntil(atMs: number): void {
    for (const arm of ['old', 'new'] as const) {
      const { bad, all } = this.#counters[arm];
      const share = (arm === 'new' ? this.#share() : 100 - this.#share()) / 100;
      const mean = (this.#perSecond * share * EVERY) / SECOND;
      while (all.nextScrapeMs <= atMs) {
        const failed = poisson(this.#random, mean * this.#badAt(arm, all.nextScrapeMs));
        bad.add(failed);
        all.add(failed + poisson(this.#random, mean));
      }
    }
  }
}

/** Canary alone is so bad from a time on. */
const regression =
  (sinceMs: number, bad: number): BadAt =>
  (arm, atMs) =>
    arm === 'new' && atMs >= sinceMs ? bad : 0.001;

function firedAfter(run: EngineHarness, onsetMs: number): number {
  const at = run.status.rollback?.startedAt;
  assert.ok(at !== undefined, `nothing fired: ${run.status.message}`);
  return (Date.parse(at) - onsetMs) / MINUTE;
}

describe('under the sequential judge', () => {
  test('a healthy canary passes 48 hours of noise that the literal rule takes for a breach', () => {
    const badAt: BadAt = () => 0.004;
    const run = new Traffic(10, badAt).rollout();
    run.runUntil(T0 + 49 * HOUR);
    assert.equal(run.status.phase, 'Succeeded', run.status.message);
    assert.equal(run.trigger()?.state, 'Inactive');

    const { judge: _, ...literal } = trigger;
    const other = new Traffic(10, badAt).rollout({ triggers: [{ ...literal, for: '5m' }] });
    other.runUntil(T0 + 49 * HOUR);
    assert.equal(other.status.phase, 'RolledBack');
  });

  test('and its status is written when steps are entered, not when evidence comes and goes', () => {
    const run = new Traffic(10, () => 0.001).rollout();
    run.runUntil(HALF + 10 * MINUTE);
    const before = run.statusWrites;
    run.runUntil(HALF + 20 * HOUR);
    assert.equal(run.statusWrites, before);
  });

  test('a canary that is bad from its first request is back at 0 % within minutes', () => {
    const run = new Traffic(40, regression(HALF, 0.02)).rollout();
    run.runUntil(HALF + HOUR);
    assert.ok(firedAfter(run, HALF) <= 4);
    assert.equal(run.weight(), 0);
    assert.match(
      run.status.rollback?.message ?? '',
      /errors: canary [\d.]+% against stable [\d.]+% \(x[\d.]+, e = [\d.e]+ > 4,800\) after [\d,]+ requests since 18:00:0\d \(query sum/,
    );
  });

  test('a canary three times worse than stable is found out below the limit of the literal rule', () => {
    const run = new Traffic(200, regression(HALF, 0.003)).rollout();
    run.runUntil(HALF + 3 * HOUR);
    assert.ok(firedAfter(run, HALF) <= 60);
  });

  test('a day of health does not hide a regression that comes after it', () => {
    const onset = HALF + 23 * HOUR + 20 * MINUTE;
    const run = new Traffic(40, regression(onset, 0.02)).rollout();
    run.runUntil(onset + HOUR);
    assert.ok(firedAfter(run, onset) <= 15);
  });

  test('an incident that both arms have is not canary`s at 50 %', () => {
    // Between a scrape of stable and one of canary; the last begins before the end of a block.
    const begins = [7_205 * SECOND, 12_005 * SECOND, 4 * HOUR - 9 * MINUTE - 40 * SECOND];
    const both: BadAt = (_, atMs) =>
      begins.some((at) => atMs >= HALF + at && atMs < HALF + at + 10 * MINUTE) ? 0.05 : 0.001;
    for (const perSecond of [100, 2000]) {
      const run = new Traffic(perSecond, both).rollout();
      run.runUntil(HALF + 6 * HOUR);
      assert.equal(run.status.phase, 'Progressing');
      assert.equal(run.trigger()?.state, 'Inactive');
    }
  });

  test('at 100 %, where nothing is left to compare with, it is held to the limit', () => {
    const onset = FULL + 2 * HOUR;
    const run = new Traffic(40, regression(onset, 0.03)).rollout();
    run.runUntil(onset + HOUR);
    assert.ok(firedAfter(run, onset) <= 10);
    assert.match(run.status.rollback?.message ?? '', /against a limit of 0\.5%/);
  });

  test('what was found at 50 % is forgotten at 100 %', () => {
    const fullAt = HALF + 20 * MINUTE;
    const steps = twoDays.steps.map((step) =>
      step.name === 'full' ? { ...step, at: '6h20m' } : step,
    );
    const run = new Traffic(40, regression(HALF, 0.0022)).rollout({
      schedule: { ...twoDays, steps },
    });
    run.runUntil(fullAt + 5 * MINUTE);
    assert.equal(run.status.step, 'full');
    const enteredAt = Date.parse(run.status.stepEnteredAt ?? '');
    assert.ok(enteredAt >= fullAt && enteredAt <= fullAt + MINUTE);
    const countedFrom = run.questions.flatMap((question) => {
      if (question.type !== 'instant' || question.atMs <= enteredAt) return [];
      const over = /increase.*?\[(\d+)ms\]/.exec(question.query)?.[1];
      return over === undefined ? [] : [question.atMs - Number(over)];
    });
    assert.ok(countedFrom.length >= 20);
    assert.deepEqual([...new Set(countedFrom)], [enteredAt]);
  });

  test('whoever takes over in the middle of a block comes to the same instant', () => {
    const onset = HALF + 2 * HOUR + 25 * MINUTE;
    const world = () => new Traffic(20, regression(onset, 0.012)).rollout();
    const undisturbed = world();
    undisturbed.runUntil(onset + 3 * HOUR);
    const killed = world();
    for (let atMs = HALF + HOUR; atMs < onset + 3 * HOUR; atMs += 7 * MINUTE) {
      killed.runUntil(atMs);
      killed.crashNext = 'beforeStatus';
      killed.sleepUntil(killed.now);
    }
    assert.ok(firedAfter(undisturbed, onset) > 0);
    assert.equal(killed.status.rollback?.startedAt, undisturbed.status.rollback?.startedAt);
    assert.equal(killed.trigger()?.message, undisturbed.trigger()?.message);
  });

  test('a verdict may have to stand for a time, and the end of a block does not take it back', () => {
    // Found just before the hour is over.
    const onset = HALF + 52 * MINUTE;
    const run = new Traffic(60, regression(onset, 0.04)).rollout({
      triggers: [{ ...trigger, for: '15m' }],
    });
    run.runUntil(onset + HOUR);
    const { activeAt = '', firingAt = '' } = run.trigger() ?? {};
    assert.ok(Date.parse(activeAt) < HALF + HOUR, activeAt);
    assert.equal(Date.parse(firingAt) - Date.parse(activeAt), 15 * MINUTE);
  });

  test('a warning goes on holding through the next block while canary stays bad', () => {
    const onset = HALF + 10 * MINUTE;
    const run = new Traffic(60, regression(onset, 0.02)).rollout({
      triggers: [{ ...trigger, severity: 'Warning' }],
    });
    run.runUntil(onset + 20 * MINUTE);
    assert.equal(run.trigger()?.state, 'Firing');
    // Nobody answers for half an hour, and that is written down.
    run.runUntil(onset + 40 * MINUTE);
    const before = run.statusWrites;
    run.runUntil(onset + 5 * HOUR);
    assert.equal(run.trigger()?.state, 'Firing');
    assert.equal(run.statusWrites, before);
  });

  test('and lets go once a whole block has passed without evidence', () => {
    const until = HALF + 40 * MINUTE;
    const badAt: BadAt = (arm, atMs) =>
      arm === 'new' && atMs >= HALF && atMs < until ? 0.02 : 0.001;
    const run = new Traffic(60, badAt).rollout({ triggers: [{ ...trigger, severity: 'Warning' }] });
    run.runUntil(until);
    assert.equal(run.trigger()?.state, 'Firing');
    run.runUntil(HALF + 2 * HOUR + 5 * MINUTE);
    assert.equal(run.trigger()?.state, 'Inactive');
  });

  test('Prometheus silent: what it cannot count is unknown, neither health nor breach', () => {
    const run = new Traffic(20, () => 0.001).rollout();
    run.runUntil(HALF + HOUR);
    run.world.fault = (_, question) =>
      'query' in question && question.query.includes('increase') ? 'timeout' : undefined;
    run.runUntil(HALF + HOUR + 5 * MINUTE);
    assert.equal(run.trigger()?.state, 'Unknown');
    assert.equal(run.trigger()?.reason, 'PrometheusDown');
    assert.equal(run.status.phase, 'Held');
  });
});
