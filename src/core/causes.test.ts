/** Causes through the whole engine: what each says, what follows from it, and whom it calls. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  halfForTenHours,
  MINUTE,
  resolved,
  rolloutSpec,
  SECOND,
  type SeriesValue,
  T0,
  type TriggerInput,
} from '#test/builders.ts';
import { EngineHarness, type World } from '#test/engine-harness.ts';
import { causeOfSilence, responseTo } from './causes.ts';

const ratio: TriggerInput = {
  name: 'errors',
  severity: 'Critical',
  ratio: {
    bad: 'bad{service="$(arm.service)"}',
    total: 'total{service="$(arm.service)"}',
  },
  condition: '> 0.5%',
  for: '5m',
};

interface Row {
  readonly name: string;
  readonly weight?: number;
  readonly trigger?: Partial<TriggerInput>;
  /** From 20 minutes on. */
  readonly bad: SeriesValue;
  readonly total: SeriesValue;
  readonly fault?: ReturnType<World['fault']>;
  readonly phase: string;
  readonly hold?: string;
  readonly metricsAvailable: readonly [status: string, reason: string];
  /** Events that call a person. */
  readonly pages: readonly string[];
}

const rows: readonly Row[] = [
  {
    name: 'breach: the ladder',
    bad: 5,
    total: 100,
    phase: 'RolledBack',
    metricsAvailable: ['Unknown', 'NotEvaluated'],
    pages: [],
  },
  {
    name: 'no traffic expected: it goes on',
    weight: 0,
    bad: 'absent',
    total: 'absent',
    phase: 'Progressing',
    metricsAvailable: ['True', 'AllAnswer'],
    pages: [],
  },
  {
    name: 'no traffic though expected: it holds, and calls nobody',
    bad: 'absent',
    total: 0,
    phase: 'Held',
    hold: 'NoTraffic',
    metricsAvailable: ['False', 'NoTraffic'],
    pages: [],
  },
  {
    name: 'chain broken: it holds and calls',
    bad: 'absent',
    total: 'absent',
    phase: 'Held',
    hold: 'ChainBroken',
    metricsAvailable: ['False', 'ChainBroken'],
    pages: ['22 ChainBroken'],
  },
  {
    name: 'Prometheus down: it holds and calls',
    bad: 0,
    total: 100,
    fault: 'unreachable',
    phase: 'Held',
    hold: 'PrometheusDown',
    metricsAvailable: ['False', 'PrometheusDown'],
    pages: ['22 PrometheusDown'],
  },
  {
    name: 'a query that Prometheus refuses is a broken chain of its own reason',
    bad: 0,
    total: 100,
    fault: 'badQuery',
    phase: 'Held',
    hold: 'BadQuery',
    metricsAvailable: ['False', 'BadQuery'],
    pages: ['22 BadQuery'],
  },
  {
    name: 'shared incident: it holds and calls, and then the ladder',
    trigger: { compareWithStable: { holdFor: '1h' } },
    bad: 5,
    total: 100,
    phase: 'Held',
    hold: 'SharedIncident',
    metricsAvailable: ['True', 'AllAnswer'],
    pages: ['25 SharedIncident'],
  },
];

describe('a cause decides what follows:', () => {
  for (const { name, weight = 50, trigger, bad, total, fault, ...expected } of rows) {
    test(name, () => {
      const course = new EngineHarness({
        spec: {
          schedule: {
            ...halfForTenHours,
            steps: halfForTenHours.steps.map((one) =>
              one.weight === 50 ? { ...one, weight } : one,
            ),
          },
          triggers: [{ ...ratio, ...trigger }],
        },
        world: {
          series: (query, atMs) => {
            const isLate = atMs >= T0 + 20 * MINUTE;
            if (query.startsWith('bad')) return isLate ? bad : 0;
            // At weight 0 canary never had any; preflight proves the chain on stable.
            return isLate || (weight === 0 && query.includes('"new"')) ? total : 100;
          },
          fault: (nowMs) => (nowMs >= T0 + 20 * MINUTE ? fault : undefined),
        },
      });
      course.runUntil(T0 + 40 * MINUTE);
      assert.equal(course.status.phase, expected.phase);
      assert.equal(course.status.holds?.[0]?.reason, expected.hold);
      if (expected.hold !== undefined) {
        assert.equal(course.condition('Ready')?.reason, expected.hold);
      }
      const metrics = course.condition('MetricsAvailable');
      assert.deepEqual([metrics?.status, metrics?.reason], expected.metricsAvailable);
      const pages = course.events.filter(({ action }) => action === 'Page');
      assert.deepEqual(
        pages.map(({ at, reason }) => `${(at - T0) / MINUTE} ${reason}`),
        expected.pages,
      );
    });
  }

  test('one page for Prometheus, however many triggers ask it', () => {
    const course = new EngineHarness({
      spec: {
        schedule: halfForTenHours,
        triggers: [ratio, { ...ratio, name: 'again' }, { ...ratio, name: 'more', noDataFor: '5m' }],
      },
      world: {
        series: (query) => (query.startsWith('bad') ? 0 : 100),
        fault: (nowMs) => (nowMs >= T0 + 20 * MINUTE ? 'timeout' : undefined),
      },
    });
    course.runUntil(T0 + 60 * MINUTE);
    const pages = course.events.filter(({ action }) => action === 'Page');
    assert.deepEqual(
      pages.map(({ note }) => note),
      ['errors has no reading: Prometheus: timeout (and 1 more)'],
    );
  });

  test('every cause has a response', () => {
    const error = { type: 'error', message: 'm' } as const;
    const causes = [
      causeOfSilence({ ...error, fault: 'timeout' }),
      causeOfSilence({ ...error, fault: 'badQuery' }),
      causeOfSilence({ type: 'noTraffic', message: 'm' }),
      causeOfSilence({ type: 'noTraffic', message: 'm' }, false),
      causeOfSilence({ type: 'noData', message: 'm' }),
      causeOfSilence({ type: 'noData', message: 'm' }, false),
    ];
    assert.deepEqual(
      causes.map(({ type, reason }) => `${type} ${reason} ${responseTo[type]}`),
      [
        'prometheusDown PrometheusDown holdAndPage',
        'chainBroken BadQuery holdAndPage',
        'noTrafficThoughExpected NoTraffic hold',
        'noTrafficExpected NoTrafficExpected goOn',
        'chainBroken ChainBroken holdAndPage',
        'noTrafficExpected NoTrafficExpected goOn',
      ],
    );
  });
});

interface Shared {
  readonly name: string;
  readonly onFiring?: TriggerInput['onFiring'];
  /** Minutes from and to which each arm breaches; an arm that is not named never does. */
  readonly canary?: readonly [number, number];
  readonly stable?: readonly [number, number];
  /** From when on Prometheus has nothing of stable. */
  readonly stableGoneAt?: number;
  readonly weight?: number;
  readonly story: readonly string[];
}

const told = [
  'TriggerFired',
  'TriggerResolved',
  'Held',
  'SharedIncident',
  'HoldEnded',
  'RollbackStarted',
];
const ALWAYS = Number.POSITIVE_INFINITY;

const shared: readonly Shared[] = [
  {
    name: 'stable is well: the ladder at once',
    canary: [20, ALWAYS],
    story: ['25 TriggerFired', '25 RollbackStarted'],
  },
  {
    name: 'stable breaches too, to the end of the hold: then the ladder',
    canary: [20, ALWAYS],
    stable: [0, ALWAYS],
    story: ['25 TriggerFired', '25 Held', '25 SharedIncident', '35 RollbackStarted'],
  },
  {
    name: 'rungs count from the end of the hold',
    onFiring: [{ action: 'Hold' }, { action: 'Rollback', after: '3m' }],
    canary: [20, ALWAYS],
    stable: [0, ALWAYS],
    story: ['25 TriggerFired', '25 Held', '25 SharedIncident', '35 Held', '38 RollbackStarted'],
  },
  {
    name: 'stable recovers while canary still breaches: the ladder at once',
    canary: [20, ALWAYS],
    stable: [0, 28],
    story: ['25 TriggerFired', '25 Held', '25 SharedIncident', '28 RollbackStarted'],
  },
  {
    name: 'both recover: nothing is left of it',
    canary: [20, 28],
    stable: [0, 28],
    story: [
      '25 TriggerFired',
      '25 Held',
      '25 SharedIncident',
      '28 TriggerResolved',
      '28 HoldEnded',
    ],
  },
  {
    name: 'stable begins to breach before a later rung: that waits, and what has been done is not repeated',
    onFiring: [{ action: 'Hold' }, { action: 'Rollback', after: '5m' }],
    canary: [20, ALWAYS],
    stable: [28, ALWAYS],
    story: ['25 TriggerFired', '25 Held', '28 Held', '28 SharedIncident', '43 RollbackStarted'],
  },
  {
    name: 'stable breaches a second time in the same firing: no second hold',
    onFiring: [{ action: 'Hold' }, { action: 'Rollback', after: '10m' }],
    canary: [20, ALWAYS],
    stable: [0, 27],
    story: ['25 TriggerFired', '25 Held', '25 SharedIncident', '27 Held', '37 RollbackStarted'],
  },
  {
    name: 'stable has no reading: not known to breach, so the ladder at once',
    canary: [20, ALWAYS],
    stable: [0, ALWAYS],
    stableGoneAt: 24,
    story: ['25 TriggerFired', '25 RollbackStarted'],
  },
  {
    name: 'stable loses its reading in the hold: not known to be well, so the hold goes on',
    canary: [20, ALWAYS],
    stable: [0, ALWAYS],
    stableGoneAt: 27,
    story: ['25 TriggerFired', '25 Held', '25 SharedIncident', '35 RollbackStarted'],
  },
];

function comparing({ onFiring, canary, stable, stableGoneAt = ALWAYS }: Shared): EngineHarness {
  const within = (minute: number, span: readonly [number, number] | undefined) =>
    span !== undefined && minute >= span[0] && minute < span[1];
  return new EngineHarness({
    spec: {
      schedule: halfForTenHours,
      triggers: [
        {
          name: 'errors',
          severity: 'Critical',
          query: 'errors{service="$(arm.service)"}',
          condition: '> 0.5%',
          for: '5m',
          compareWithStable: {},
          ...(onFiring === undefined ? {} : { onFiring }),
        },
      ],
    },
    world: {
      series: (query, atMs) => {
        const minute = (atMs - T0) / MINUTE;
        if (query.includes('"new"')) return within(minute, canary) ? 0.05 : 0;
        if (minute >= stableGoneAt) return 'absent';
        return within(minute, stable) ? 0.03 : 0;
      },
    },
  });
}

const story = (course: EngineHarness) =>
  course.events
    .filter(({ reason }) => told.includes(reason))
    .map(({ at, reason }) => `${(at - T0) / MINUTE} ${reason}`);

describe('compareWithStable:', () => {
  for (const row of shared) {
    test(row.name, () => {
      const course = comparing(row);
      course.runUntil(T0 + 60 * MINUTE);
      assert.deepEqual(story(course), row.story);
    });

    test(`${row.name} - with a crash at every look`, () => {
      const whole = comparing(row);
      whole.runUntil(T0 + 60 * MINUTE);
      const broken = comparing(row);
      broken.runThroughCrashes(T0 + 60 * MINUTE);
      assert.deepEqual(broken.status.triggers, whole.status.triggers);
      assert.equal(broken.status.rollback?.startedAt, whole.status.rollback?.startedAt);
    });
  }

  const long: Shared = { name: '', canary: [20, ALWAYS], stable: [0, ALWAYS], story: [] };

  test('says that it is the service, with what both arms have', () => {
    const course = comparing(long);
    course.runUntil(T0 + 26 * MINUTE);
    assert.equal(
      course.status.holds?.[0]?.message,
      'the service, not the canary: errors 5% > 0.5% for 5m0s since 12:20:00 (query errors{service="new"}); stable 3% > 0.5% too; held until 12:35:00, then the ladder begins',
    );
  });

  test('a process that was away comes back to a hold that is as long as it would have been', () => {
    const course = comparing(long);
    course.runUntil(T0 + 21 * MINUTE);
    course.now = T0 + 30 * MINUTE;
    course.look();
    assert.equal(course.trigger()?.sharedUntil, '2026-11-22T12:35:00Z');
    course.now = T0 + 50 * MINUTE;
    course.look();
    assert.equal(course.status.rollback?.startedAt, '2026-11-22T12:50:00Z');
  });

  test('in a steady state nothing is written', () => {
    const course = comparing(long);
    course.runUntil(T0 + 26 * MINUTE);
    const { statusWrites } = course;
    course.runUntil(T0 + 35 * MINUTE - SECOND);
    assert.equal(course.statusWrites, statusWrites);
  });

  test('is refused where both arms would be asked the same', () => {
    const spec = resolved(
      rolloutSpec({
        triggers: [
          {
            name: 'memory',
            severity: 'Warning',
            query: 'max(memory)',
            condition: '> 1GB',
            compareWithStable: {},
          },
        ],
      }),
    );
    assert.deepEqual(spec.type === 'invalid' ? spec.problems : [], [
      'spec.triggers[0] (memory): compareWithStable needs a query with $(arm.service), so that stable can be asked the same; max(memory) has none',
    ]);
  });
});
