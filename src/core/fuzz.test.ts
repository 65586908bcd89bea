/** Statuses that nobody wrote, in an order that nobody chose: the engine never stumbles, and never raises for it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { type RolloutStatus, rolloutStatusSchema } from '#api/status.ts';
import { answered } from '#simulate/ask.ts';
import {
  answerTo,
  errorsTrigger,
  HOUR,
  MINUTE,
  reading,
  runSpec,
  SECOND,
  snapshot,
  startedStatus,
  T0,
} from '#test/builders.ts';
import { EngineHarness } from '#test/engine-harness.ts';
import { decide } from './decide.ts';
import type { Decision } from './decision.ts';
import type { RouteObservation, Snapshot } from './snapshot.ts';

const traffic = {
  stable: { service: 'old', port: 80 },
  canary: { service: 'new', port: 80 },
  routes: [
    { kind: 'HTTPRoute', name: 'web' },
    { kind: 'HTTPRoute', name: 'api' },
  ],
};
const triggers = [
  errorsTrigger,
  {
    ...errorsTrigger,
    name: 'slow',
    query: 'slow{service="$(arm.service)"}',
    noData: 'Breach' as const,
  },
  { ...errorsTrigger, name: 'warm', severity: 'Warning' as const, keepFiringFor: '3m' },
];
const run = runSpec({ traffic, triggers });

/** Statuses from real courses, to be broken. */
const corpus: readonly RolloutStatus[] = (() => {
  const statuses: RolloutStatus[] = [];
  for (const breachMin of [0, 90]) {
    const course = new EngineHarness({
      spec: { traffic, triggers },
      world: {
        series: (query, atMs) =>
          query.includes('"new"') && breachMin > 0 && atMs > T0 + breachMin * MINUTE ? 1 : 0,
        write: (_route, _action, now) =>
          now > T0 + 92 * MINUTE && now < T0 + 97 * MINUTE ? 'lost' : 'done',
      },
    });
    for (let minute = 0; minute < 200; minute += 7) {
      course.runUntil(T0 + minute * MINUTE);
      statuses.push(course.status);
    }
  }
  return statuses;
})();

const strangeText = fc.oneof(
  fc.constantFrom(
    '',
    'NaN',
    'Firing',
    'Pending',
    'Unknown',
    'RollingBack',
    'RolledBack',
    'Succeeded',
    'half',
    'full',
    'gone',
  ),
  fc.constantFrom(
    '+275760-09-13T00:00:00Z',
    '-000001-01-01T00:00:00Z',
    '0000-00-00',
    '2026-13-45T99:99:99Z',
    '9999-12-31T23:59:59.999Z',
  ),
  fc
    .date({ min: new Date(T0 - 48 * HOUR), max: new Date(T0 + 48 * HOUR), noInvalidDate: true })
    .map((date) => date.toISOString()),
  fc.string({ maxLength: 12 }),
);
const strangeNumber = fc.constantFrom(
  0,
  1,
  -1,
  50,
  100,
  101,
  -100_000,
  Number.MAX_SAFE_INTEGER,
  Number.MIN_SAFE_INTEGER,
);

/** Breaks one value somewhere: changes, drops, doubles or empties it. */
function broken(value: unknown, choose: fc.GeneratorValue): unknown {
  if (typeof value === 'string') return choose(() => strangeText);
  if (typeof value === 'number') return choose(() => strangeNumber);
  if (typeof value !== 'object' || value === null) return value;
  const how = choose(fc.integer, { min: 0, max: 9 });
  if (Array.isArray(value)) {
    if (value.length === 0 || how === 0) return [];
    const index = choose(fc.integer, { min: 0, max: value.length - 1 });
    if (how === 1) return value.toSpliced(index, 1);
    if (how === 2) return [...value, value[index]];
    if (how === 3) return value.toReversed();
    return value.with(index, broken(value[index], choose));
  }
  const keys = Object.keys(value);
  if (keys.length === 0) return value;
  const key = keys[choose(fc.integer, { min: 0, max: keys.length - 1 })] ?? '';
  const { [key]: one, ...rest } = value as Record<string, unknown>;
  return how === 0 ? rest : { ...rest, [key]: broken(one, choose) };
}

const strangeStatus = fc
  .tuple(fc.constantFrom(...corpus), fc.gen(), fc.integer({ min: 1, max: 6 }))
  .map(([status, choose, times]) => {
    let current: unknown = status;
    for (let n = 0; n < times; n += 1) current = broken(current, choose);
    return rolloutStatusSchema.safeParse(current);
  });

const routeReading: fc.Arbitrary<RouteObservation['reading']> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .record({
        weight: fc.constantFrom(0, 50, 100, 33),
        uniform: fc.boolean(),
        settled: fc.boolean(),
        owned: fc.boolean(),
        writtenBy: fc.constantFrom('genesis', 'argocd', undefined),
        rolledBackRun: fc.constantFrom(undefined, 'run-1'),
      })
      .map((one) => reading(one)),
  },
  fc.constant({ type: 'missing' as const, message: 'gone' }),
  fc.constant({ type: 'refused' as const, reason: 'RouteRefused', message: 'refused' }),
);

const world = fc.record({
  now: fc.integer({ min: -HOUR, max: 5 * HOUR }).map((ms) => T0 + ms),
  readings: fc.tuple(routeReading, routeReading),
  stable: fc.constantFrom(0, 1, 2, undefined),
  canary: fc.constantFrom(0, 2, undefined),
  conflict: fc.constantFrom(undefined, undefined, 'elder'),
  value: fc.constantFrom(0, 1, 'absent' as const, Number.NaN),
  wanted: fc.constantFrom('same', 'edited', 'invalid', 'next', 'unknown'),
  request: fc.constantFrom(
    undefined,
    undefined,
    'pause 1',
    'resume 2',
    'promote 3',
    'abort 4',
    'retry 5',
    'nonsense',
  ),
  isDeleted: fc.constantFrom(false, false, false, true),
});
type World = typeof world extends fc.Arbitrary<infer T> ? T : never;

function snapshotOf(status: RolloutStatus, one: World): Snapshot {
  const base = snapshot(run, { now: one.now, status, conflict: one.conflict });
  const wanted = {
    same: base.wanted,
    unknown: base.wanted,
    edited: { type: 'ok' as const, run: { ...run, paused: true } },
    invalid: { type: 'invalid' as const, problems: ['spec.triggers[0]: not PromQL'] },
    next: { type: 'ok' as const, run: { ...run, revision: 'v3' } },
  }[one.wanted];
  return {
    ...base,
    wanted: wanted ?? base.wanted,
    recorded: one.wanted === 'unknown' ? undefined : run,
    object: {
      ...base.object,
      generation: one.wanted === 'edited' ? 2 : 1,
      request: one.request,
      deletionRequestedAtMs: one.isDeleted ? one.now - SECOND : undefined,
    },
    ready: { stable: one.stable, canary: one.canary },
    routes: run.targets.map((target, index) => ({
      target,
      reading: one.readings[index] ?? reading(),
    })),
  };
}

function look(known: Snapshot, one: World): Decision {
  return decide(answered(known, (question) => answerTo(question, () => one.value)));
}

/** What must be so of every decision, whatever the status says. */
function assertSound(known: Snapshot, decision: Decision): void {
  assert.doesNotThrow(() => rolloutStatusSchema.parse(JSON.parse(JSON.stringify(decision.status))));
  const { wakeAtMs } = decision;
  assert.ok(wakeAtMs === undefined || Number.isFinite(wakeAtMs), `wakes at ${wakeAtMs}`);
  const { rollback, phase } = known.status;
  const isRolledBack = rollback !== undefined || phase === 'RollingBack' || phase === 'RolledBack';
  for (const action of [...decision.first, ...decision.actions]) {
    if (action.type !== 'SetWeight') continue;
    const planned = (decision.status.plan ?? []).map((point) => point.weight);
    assert.ok([0, ...planned].includes(action.weight), `${action.weight} is in the plan`);
    const route = known.routes.find((each) => each.target === action.target)?.reading;
    const rises = route?.type === 'read' ? action.weight > route.weight : action.weight > 0;
    if (!rises) continue;
    assert.ok(!decision.first.includes(action), 'no rise before the status is written');
    assert.ok(!isRolledBack, 'no rise after a rollback');
    assert.deepEqual(decision.status.holds, [], 'no rise with a hold');
    assert.ok(known.ready.canary !== 0, 'no rise to a canary that is not there');
    assert.ok(known.conflict === undefined, 'no rise on a route of another');
  }
  if (decision.status.runId === known.status.runId && rollback !== undefined) {
    assert.ok(decision.status.rollback !== undefined, 'a rollback is never forgotten');
  }
}

describe('a status of any kind', () => {
  test('is decided upon, soundly, and comes to rest where nothing changes', () => {
    fc.assert(
      fc.property(strangeStatus, world, (parsed, one) => {
        fc.pre(parsed.success);
        let status: RolloutStatus = parsed.data ?? {};
        for (let n = 0; n < 12; n += 1) {
          const known = snapshotOf(status, one);
          const decision = look(known, one);
          assertSound(known, decision);
          const isAtRest = decision.status === status;
          const hasActions = decision.first.length + decision.actions.length > 0;
          const wakesNow = decision.wakeAtMs !== undefined && decision.wakeAtMs <= one.now;
          assert.ok(
            !isAtRest || !wakesNow || hasActions,
            `${decision.rule} wakes at once for nothing`,
          );
          if (isAtRest) return;
          status = rolloutStatusSchema.parse(JSON.parse(JSON.stringify(decision.status)));
        }
        assert.fail('the status never comes to rest');
      }),
      { numRuns: 1000 },
    );
  });

  test('decided upon twice is decided upon in the same way', () => {
    fc.assert(
      fc.property(strangeStatus, world, (parsed, one) => {
        fc.pre(parsed.success);
        const status: RolloutStatus = parsed.data ?? {};
        assert.deepEqual(look(snapshotOf(status, one), one), look(snapshotOf(status, one), one));
      }),
      { numRuns: 200 },
    );
  });
});

describe('the order in which things stand', () => {
  test('changes no decision: neither of triggers, nor of routes, nor of the entries in the status', () => {
    fc.assert(
      fc.property(fc.constantFrom(...corpus), world, fc.boolean(), (status, one, alsoStatus) => {
        const known = snapshotOf(status, one);
        const turnedRun = {
          ...run,
          triggers: run.triggers.toReversed(),
          targets: run.targets.toReversed(),
        };
        const turned: Snapshot = {
          ...known,
          recorded: known.recorded === undefined ? undefined : turnedRun,
          wanted:
            known.wanted.type === 'ok' && one.wanted === 'same'
              ? { type: 'ok', run: turnedRun }
              : known.wanted,
          routes: known.routes.toReversed(),
          status: alsoStatus
            ? {
                ...status,
                triggers: (status.triggers ?? []).toReversed(),
                routes: (status.routes ?? []).toReversed(),
              }
            : status,
        };
        const gist = (decision: Decision) => ({
          rule: decision.rule,
          phase: decision.status.phase,
          step: decision.status.step,
          weight: decision.status.weight,
          isRollingBack: decision.status.rollback !== undefined,
          wakeAtMs: decision.wakeAtMs,
          holds: (decision.status.holds ?? []).map(({ reason, by }) => `${reason} ${by}`).sort(),
          writes: [...decision.first, ...decision.actions]
            .map((action) =>
              'target' in action ? `${action.type} ${action.target.name}` : action.type,
            )
            .sort(),
          triggers: (decision.status.triggers ?? [])
            .map(({ name, state }) => `${name} ${state}`)
            .sort(),
        });
        assert.deepEqual(gist(look(turned, one)), gist(look(known, one)));
      }),
      { numRuns: 300 },
    );
  });
});

test('a status without anything in it is one that has never been written', () => {
  const known = snapshot(run, { status: {} });
  assert.equal(decide(known).rule, 'begin');
});

test('a run whose record is lost under a broken spec is left as it is', () => {
  const status = startedStatus(run, { phase: 'RolledBack', step: 'half' });
  const invalid = { type: 'invalid', problems: ['spec.triggers[0]: not PromQL'] } as const;
  const decision = decide(snapshot(run, { recorded: undefined, wanted: invalid, status }));
  assert.equal(decision.status.phase, 'RolledBack');
  assert.deepEqual([...decision.first, ...decision.actions], []);
});

test('a run whose record is lost goes on under the spec as it stands', () => {
  const known = snapshot(run, { recorded: undefined, status: startedStatus(run) });
  const decision = decide(answered(known, (question) => answerTo(question, () => 0)));
  assert.equal(decision.status.step, 'dark');
});
