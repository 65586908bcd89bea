/**
 * Random courses: everything that people, GitOps, networks and processes do, at random moments of a short plan. The
 * engine keeps its invariants all along, and ends well once the world is well. The real shell has its own simulation.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import type { RolloutSpecInput } from '#api/rollout.ts';
import { errorsTrigger, MINUTE, SECOND, T0 } from '#test/builders.ts';
import { type Crash, EngineHarness } from '#test/engine-harness.ts';

const FOR_MS = MINUTE;
const INTERVAL_MS = 15 * SECOND;
/** Trouble comes within this time; after it all is well. */
const TROUBLE_MIN = 40;

const spec: Partial<RolloutSpecInput> = {
  schedule: {
    steps: [
      { name: 'dark', at: '0m', weight: 0 },
      { name: 'some', at: '5m', weight: 20 },
      { name: 'half', at: '12m', weight: 50 },
      { name: 'full', at: '20m', weight: 100 },
    ],
    checkpoints: [{ name: 'look', at: '10m', require: ['NoFiringTriggers'] }],
    end: '26m',
  },
  triggers: [{ ...errorsTrigger, for: '1m', noDataFor: '30s' }],
  canaryDown: { for: '1m' },
  success: { thenMonitorFor: '3m' },
};
const weights = [0, 10, 20, 50, 100];

/** What is wrong from one minute to another. */
const troubles = [
  'breach',
  'silent',
  'prometheusDown',
  'rangesFail',
  'stableDown',
  'canaryDown',
  'writesLost',
  'unsettled',
  'refused',
  'conflict',
  'skew',
] as const;
type Trouble = (typeof troubles)[number];

/** What happens at a moment. */
const moments = [
  ...[
    'pause 1',
    'resume 2',
    'promote 3',
    'abort 4',
    'retry 5',
    'nonsense',
    'pause 6',
    'promote 7',
  ].map((text) => ({ type: 'request' as const, text })),
  ...[0, 15, 100].map((weight) => ({ type: 'otherWriter' as const, weight })),
  ...(['beforeFirst', 'beforeStatus', 'beforeActions'] as const).map((at: Crash) => ({
    type: 'crash' as const,
    at,
  })),
  { type: 'absence' as const },
  { type: 'clockBack' as const },
  { type: 'edit' as const, to: { paused: true } },
  { type: 'edit' as const, to: { paused: false } },
  { type: 'edit' as const, to: { triggers: [{ ...errorsTrigger, query: 'sum(' }] } },
  { type: 'edit' as const, to: { triggers: spec.triggers ?? [] } },
  { type: 'edit' as const, to: { revision: 'v3' } },
  { type: 'edit' as const, to: { revision: 'v4', onNewRevision: 'Queue' as const } },
  {
    type: 'edit' as const,
    to: {
      schedule: {
        steps: [
          { name: 'dark', at: '0m', weight: 0 },
          { name: 'some', at: '5m', weight: 10 },
          { name: 'full', at: '15m', weight: 100 },
        ],
        end: '20m',
      },
    },
  },
];

const course = fc.record({
  spans: fc.array(
    fc.record({
      what: fc.constantFrom(...troubles),
      from: fc.integer({ min: 0, max: TROUBLE_MIN * 60 }),
      seconds: fc.constantFrom(1, 14, 40, 70, 130, 400, 900),
    }),
    { maxLength: 4 },
  ),
  happenings: fc.array(
    fc.record({
      second: fc.integer({ min: 0, max: TROUBLE_MIN * 60 }),
      what: fc.constantFrom(...moments),
    }),
    { maxLength: 6 },
  ),
});
type Course = typeof course extends fc.Arbitrary<infer T> ? T : never;

class World {
  readonly run: EngineHarness;
  readonly #course: Course;
  /** Canary's share over time, to know when it was asked at all. */
  readonly #shares: { readonly at: number; readonly weight: number }[] = [{ at: 0, weight: 0 }];
  #rolledBackRuns = new Set<string>();
  raises = 0;

  constructor(chosen: Course) {
    this.#course = chosen;
    this.run = new EngineHarness({ spec });
    const { world } = this.run;
    world.series = (query, atMs) => {
      if (!query.includes('"new"')) return 0;
      if (this.#is('silent', atMs) || this.#shareAt(atMs) === 0) return 'absent';
      return this.#is('breach', atMs) ? 1 : 0;
    };
    world.fault = (now, question) =>
      this.#is('prometheusDown', now) || (question.type === 'range' && this.#is('rangesFail', now))
        ? 'timeout'
        : undefined;
    world.ready = (arm, now) =>
      this.#is(arm === 'stable' ? 'stableDown' : 'canaryDown', now) ? 0 : 2;
    world.write = (route, action, now) => {
      if (this.#is('writesLost', now)) return 'lost';
      if (action.type === 'SetWeight')
        this.#written(route.weight, action.weight, action.rollbackOf);
      return 'done';
    };
  }

  #is(what: Trouble, at: number): boolean {
    return this.#course.spans.some(
      (span) =>
        span.what === what &&
        at >= T0 + span.from * SECOND &&
        at < T0 + (span.from + span.seconds) * SECOND,
    );
  }

  #shareAt(atMs: number): number {
    return this.#shares.findLast((one) => one.at <= atMs)?.weight ?? 0;
  }

  #written(from: number, to: number, rollbackOf: string | undefined): void {
    const { status, world, now, conflict } = this.run;
    const run = status.runId ?? '';
    assert.ok(weights.includes(to), `${to} is a weight of some plan`);
    if (rollbackOf !== undefined) this.#rolledBackRuns.add(rollbackOf);
    if (status.rollback !== undefined) this.#rolledBackRuns.add(run);
    if (to <= from) return;
    this.raises += 1;
    assert.ok(!this.#rolledBackRuns.has(run), 'no rise after a rollback');
    assert.equal(conflict, undefined, 'no rise on the route of another');
    assert.ok((world.ready('canary', now) ?? 0) > 0, 'no rise to a canary that is not there');
    if (status.phase === 'Succeeded') return;
    assert.deepEqual(status.holds, [], 'no rise with a hold');
    assert.equal(status.pausedBy, undefined, 'no rise while paused');
    assert.ok(!this.#is('prometheusDown', now), 'no rise without Prometheus');
    const tick = Math.floor(now / INTERVAL_MS) * INTERVAL_MS;
    assert.ok(!this.#is('breach', tick) || this.#shareAt(tick) === 0, 'no rise over a breach');
  }

  /** A second at a time: the world changes, and the engine looks whenever it wants to. */
  live(untilMin: number): void {
    const { run } = this;
    const start = run.now;
    for (let now = start; now <= T0 + untilMin * MINUTE; now += SECOND) {
      const second = (now - T0) / SECOND;
      const due = this.#course.happenings.filter((one) => one.second === second);
      if (run.now > now && !due.some(({ what }) => what.type === 'clockBack')) continue;
      this.#surround(now);
      for (const { what } of due) this.#happen(what, now);
      run.runUntil(Math.max(now, run.now));
      const weight = run.weight();
      if (weight !== this.#shares.at(-1)?.weight) this.#shares.push({ at: now, weight });
      this.#watch(now);
    }
  }

  #surround(now: number): void {
    const { run } = this;
    const route = run.route();
    const before = `${route.settled} ${route.mode} ${run.conflict} ${run.world.skewMs}`;
    route.settled = !this.#is('unsettled', now);
    route.mode = this.#is('refused', now) ? 'refused' : 'read';
    run.conflict = this.#is('conflict', now) ? 'elder' : undefined;
    run.world.skewMs = this.#is('skew', now) ? 60_000 : 0;
    // Watches tell of all this.
    if (before !== `${route.settled} ${route.mode} ${run.conflict} ${run.world.skewMs}`)
      run.nextAt = run.now;
  }

  #happen(what: (typeof moments)[number], now: number): void {
    const { run } = this;
    switch (what.type) {
      case 'request':
        return run.annotate(what.text);
      case 'otherWriter':
        return run.writeElsewhere(what.weight);
      case 'crash':
        run.crashNext = what.at;
        run.nextAt = now;
        return;
      case 'absence':
        return run.sleepUntil(now + 90 * SECOND);
      case 'clockBack':
        run.now = now - 45 * SECOND;
        run.nextAt = run.now;
        return;
      default:
        return run.edit(what.to);
    }
  }

  /** What a person would do who is asked to. */
  help(): void {
    const { run } = this;
    const reasons = (run.status.holds ?? []).map(({ reason }) => reason);
    if (
      run.status.phase === 'Paused' ||
      reasons.includes('WouldServeOlderVersion') ||
      reasons.includes('LoweredByAnother')
    ) {
      run.annotate(`resume help-${run.now}`);
    }
  }

  /** A breach that has held while all works has been acted upon. */
  #watch(now: number): void {
    const { run } = this;
    const { phase, startedAt = '' } = run.status;
    if (phase === undefined || ['Succeeded', 'RolledBack', 'Pending'].includes(phase)) return;
    const grace = 20 * SECOND;
    for (let at = now; at > now - FOR_MS - INTERVAL_MS - grace; at -= SECOND) {
      const isWell = (
        ['prometheusDown', 'rangesFail', 'silent', 'stableDown', 'writesLost', 'refused'] as const
      ).every((what) => !this.#is(what, at));
      if (
        !isWell ||
        !this.#is('breach', at) ||
        this.#shareAt(at) === 0 ||
        at < Date.parse(startedAt)
      )
        return;
    }
    if (
      this.#course.happenings.some(({ what }) =>
        ['crash', 'absence', 'clockBack'].includes(what.type),
      )
    )
      return;
    assert.equal(
      run.weight(),
      0,
      `a breach has held for its time, and canary still has traffic at ${new Date(now).toISOString()}`,
    );
  }
}

describe('random courses', () => {
  test('keep the invariants, and end once the world is well', () => {
    let raises = 0;
    const phases = new Set<string | undefined>();
    fc.assert(
      fc.property(course, (chosen) => {
        const world = new World(chosen);
        world.live(TROUBLE_MIN + 16);
        world.run.edit({ paused: false, triggers: spec.triggers ?? [] });
        for (let round = 1; round <= 8; round += 1) {
          world.help();
          world.live(TROUBLE_MIN + 16 + round * 15);
        }
        const { phase } = world.run.status;
        phases.add(phase);
        raises += world.raises;
        assert.ok(
          phase === 'Succeeded' || phase === 'RolledBack',
          `${phase}: ${world.run.status.message}`,
        );
      }),
      { numRuns: 40 },
    );
    // Courses in which nothing happens would prove nothing.
    assert.ok(raises > 60, `${raises} raises`);
    assert.deepEqual(phases, new Set(['Succeeded', 'RolledBack']));
  });
});
