/** Random ladders over random courses of a metric: what must be so of every one of them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { parseDuration } from '#api/duration.ts';
import { halfForTenHours, MINUTE, SECOND, T0, type TriggerInput } from '#test/builders.ts';
import { type Crash, EngineHarness } from '#test/engine-harness.ts';

const END = T0 + 60 * MINUTE;

const rung = fc.record(
  {
    action: fc.constantFrom(
      'Notify' as const,
      'Hold' as const,
      'Rollback' as const,
      'Continue' as const,
    ),
    after: fc.constantFrom('0s', '7s', '1m', '5m', '20m'),
    when: fc.constantFrom('Worsening' as const, 'Improving' as const, 'Steady' as const),
  },
  { requiredKeys: ['action'] },
);

const trigger = fc
  .record(
    {
      severity: fc.constantFrom('Critical' as const, 'Warning' as const, 'Info' as const),
      for: fc.constantFrom('0s', '1m', '2m10s'),
      keepFiringFor: fc.constantFrom('0s', '3m'),
      onFiring: fc.array(rung, { minLength: 1, maxLength: 5 }),
      respondWithin: fc.constantFrom('4m', '30m'),
      compareWithStable: fc.constant({ holdFor: '6m' }),
    },
    { requiredKeys: ['severity', 'for', 'onFiring'] },
  )
  .map(
    (chosen): TriggerInput => ({
      name: 'errors',
      query: 'errors{service="$(arm.service)"}',
      condition: '> 1',
      ...chosen,
    }),
  );

/** A value for every five minutes, with a slope to the next; `undefined` is no data. */
const values = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(0, 0.5, 2, 2.05, 3, 6) },
    fc.constant(undefined),
  ),
  { minLength: 12, maxLength: 12 },
);

const course = fc.record({
  trigger,
  canary: values,
  stable: values,
  crashes: fc.array(fc.constantFrom<Crash>('beforeFirst', 'beforeStatus', 'beforeActions'), {
    minLength: 1,
    maxLength: 5,
  }),
});
type Course = typeof course extends fc.Arbitrary<infer T> ? T : never;

function harness({ trigger: chosen, canary, stable }: Course): EngineHarness {
  return new EngineHarness({
    spec: { schedule: halfForTenHours, triggers: [chosen] },
    world: {
      series: (query, atMs) => {
        const line = query.includes('"new"') ? canary : stable;
        const at = Math.max(0, atMs - T0) / (5 * MINUTE);
        const from = line[Math.floor(at)];
        const to = line[Math.floor(at) + 1] ?? from;
        return from === undefined || to === undefined ? 'absent' : from + (to - from) * (at % 1);
      },
    },
  });
}

/** Looks on as the whole would, and dies at every second look, in turn at each place of the list. */
function broken(chosen: Course): EngineHarness {
  const run = harness(chosen);
  run.runThroughCrashes(END, chosen.crashes);
  return run;
}

const seconds = (text: string | undefined) => (Date.parse(text ?? '') - T0) / SECOND;

/** Whatever is said at every moment of a course. */
function check(run: EngineHarness, { trigger: chosen }: Course): void {
  const entry = run.trigger();
  const rungs = entry?.responses?.map((one) => one.rung) ?? [];
  assert.equal(new Set(rungs).size, rungs.length, 'each rung once per firing');
  if (entry?.state !== 'Firing')
    assert.deepEqual(rungs, [], 'nothing is left of a firing that is over');
  const own = (run.status.holds ?? []).filter(({ reason }) => reason === 'TriggerFiring');
  if (entry?.state !== 'Firing') assert.deepEqual(own, []);
  if (entry?.state === 'Firing' && run.status.rollback === undefined) {
    const startS = seconds(entry.sharedUntil ?? entry.firingAt);
    for (const { action, after = '0s', when } of chosen.onFiring ?? []) {
      const isOver = startS + parseDuration(after) / SECOND <= (run.now - T0) / SECOND;
      const isLate = action === 'Rollback' && when === undefined && isOver;
      assert.ok(!isLate, 'a rollback without a condition comes at its second');
    }
  }
}

test('any ladder: each rung once, rollbacks at their second, and a crash at any look changes nothing', () => {
  fc.assert(
    fc.property(course, (chosen) => {
      const whole = harness(chosen);
      while ((whole.nextAt ?? Number.POSITIVE_INFINITY) <= END) {
        whole.now = whole.nextAt ?? whole.now;
        whole.look();
        if (whole.status.rollback === undefined) check(whole, chosen);
      }
      const overdue = whole.events.filter(({ reason }) => reason === 'ResponseOverdue').length;
      const fired = whole.events.filter(({ reason }) => reason === 'TriggerFired').length;
      assert.ok(overdue <= fired, 'at most one page for each firing');
      const other = broken(chosen);
      assert.deepEqual(other.status.triggers, whole.status.triggers);
      assert.equal(other.status.rollback?.startedAt, whole.status.rollback?.startedAt);
      assert.equal(other.weight(), whole.weight());
    }),
    { numRuns: 40 },
  );
});
