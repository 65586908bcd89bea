/** The end is judged: criteria over the window, what else is required, and what follows from a miss. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RolloutSpecInput } from '#api/rollout.ts';
import { HOUR, MINUTE, SECOND, suiteFailure, suiteRun, T0 } from '#test/builders.ts';
import { EngineHarness } from '#test/engine-harness.ts';

type Success = NonNullable<RolloutSpecInput['success']>;

const at = (ms: number) => new Date(ms).toISOString().replace('.000Z', 'Z');
const isSlow = (query: string) => query.startsWith('slow');
const END = T0 + 3 * HOUR;

const criterion = {
  name: 'latency',
  query: 'slow{service="$(arm.service)"}',
  condition: '< 200ms',
} as const;

/** 50 % from 1h, 100 % from 2h, the end at 3h; `slow` is 100 ms but for what the world says. */
function harness(
  success: Success,
  slow: (atMs: number) => number | 'absent' = () => 0.1,
  spec: Partial<RolloutSpecInput> = {},
): EngineHarness {
  return new EngineHarness({
    spec: { ...spec, success: { criteria: [criterion], ...success } },
    world: { series: (query, atMs) => (isSlow(query) ? slow(atMs) : 0) },
  });
}

/** 1 s of violation between these times, 0.1 s otherwise. */
const violated = (fromMs: number, toMs: number) => (atMs: number) =>
  atMs >= fromMs && atMs < toMs ? 1 : 0.1;

describe('a criterion', () => {
  const cases: readonly [
    string,
    (atMs: number) => number | 'absent',
    'Succeeded' | 'Held',
    RegExp | undefined,
  ][] = [
    ['that was met all along passes', () => 0.1, 'Succeeded', undefined],
    [
      'that was violated for less than its `for` passes',
      violated(T0 + 90 * MINUTE, T0 + 90 * MINUTE + 10 * MINUTE),
      'Succeeded',
      undefined,
    ],
    [
      'that was violated for as long as its `for` is missed, with value, threshold and since when',
      violated(T0 + 90 * MINUTE, T0 + 100 * MINUTE + 15 * SECOND),
      'Held',
      /latency 1000ms at worst, not < 200ms, for 10m0s since 13:30:00/,
    ],
    [
      'that was violated where canary had no traffic passes',
      violated(T0, T0 + HOUR),
      'Succeeded',
      undefined,
    ],
    [
      'whose readings cover 98 % of the time with traffic is missed',
      (atMs) => (atMs > END - 150 * SECOND ? 'absent' : 0.1),
      'Held',
      /latency: readings cover 97.9% of 2h0m15s, 99% are needed/,
    ],
    [
      'whose readings cover 99 % of it passes',
      (atMs) => (atMs > END - 60 * SECOND ? 'absent' : 0.1),
      'Succeeded',
      undefined,
    ],
    [
      'of which there is nothing before the traffic needs nothing there',
      (atMs) => (atMs < T0 + HOUR ? 'absent' : 0.1),
      'Succeeded',
      undefined,
    ],
  ];
  for (const [name, slow, phase, message] of cases) {
    test(name, () => {
      const run = harness({}, slow);
      run.runUntil(END + MINUTE);
      assert.equal(run.status.phase, phase, run.status.message);
      if (message !== undefined) assert.match(run.status.message ?? '', message);
      assert.equal(run.status.success?.outcome, phase === 'Held' ? 'Missed' : 'Met');
    });
  }

  test('is asked once at the end, and no more while a miss stands', () => {
    const run = harness({}, violated(END - 30 * MINUTE, END));
    run.runUntil(END);
    const asked = () =>
      run.questions.filter(
        ({ type, ...rest }) => type === 'range' && 'query' in rest && isSlow(rest.query),
      ).length;
    assert.equal(asked(), 1);
    const writes = run.statusWrites;
    run.runUntil(END + HOUR);
    assert.equal(asked(), 1);
    assert.equal(run.statusWrites, writes);
    assert.equal(run.status.holds?.[0]?.reason, 'CriteriaMissed');
  });

  test('is asked for again while Prometheus does not answer, and holds meanwhile', () => {
    const run = harness({});
    run.world.fault = (now, question) =>
      now < END + 5 * MINUTE && question.type === 'range' ? 'timeout' : undefined;
    run.runUntil(END + 4 * MINUTE);
    assert.equal(run.status.phase, 'Held');
    assert.equal(run.status.holds?.[0]?.reason, 'CriteriaUnknown');
    run.runUntil(END + 5 * MINUTE);
    assert.equal(run.status.phase, 'Succeeded');
  });

  test('that names $(window) is one reading at the end', () => {
    const query = 'avg_over_time(slow{service="$(arm.service)"}[$(window)])';
    const asked: string[] = [];
    const run = new EngineHarness({
      spec: { success: { criteria: [{ name: 'uptime', query, condition: '>= 99.9%' }] } },
      world: {
        series: (text) => {
          if (text.startsWith('avg')) asked.push(text);
          return text.startsWith('avg') ? 0.998 : 0;
        },
      },
    });
    run.runUntil(END);
    assert.match(run.status.message ?? '', /uptime is 99.8%, not >= 99.9%, over the last 3h0m0s/);
    assert.deepEqual(asked, ['avg_over_time(slow{service="new"}[3h])']);
  });

  test('over 48 hours at 15 s is asked in parts and judged as a whole', () => {
    const schedule = { steps: [{ name: 'full', at: '0h', weight: 100 }], end: '48h' };
    const from = T0 + 46 * HOUR;
    const run = harness({}, violated(from, from + 11 * MINUTE), { schedule });
    run.runUntil(T0 + 48 * HOUR);
    assert.match(run.status.message ?? '', /for 10m45s since 10:00:00/);
  });
});

describe('a miss', () => {
  const bad = violated(END - 30 * MINUTE, END - 10 * MINUTE);

  test('with onFailure: Hold is held until a person speaks', () => {
    const run = harness({ onFailure: 'Hold' }, bad);
    run.runUntil(END + 10 * HOUR);
    assert.equal(run.status.phase, 'Held');
    run.annotate('abort 1');
    run.runFor(MINUTE);
    assert.equal(run.status.phase, 'RolledBack');
  });

  test('with onFailure: Rollback rolls back', () => {
    const run = harness({ onFailure: 'Rollback' }, bad);
    run.runUntil(END);
    assert.equal(run.weight(), 0);
    assert.equal(run.status.rollback?.reason, 'CriteriaMissed');
    assert.match(run.status.rollback?.message ?? '', /latency 1000ms at worst/);
  });

  test('with onFailure: Extend moves the end, begins a new window, and succeeds when that is good', () => {
    const run = harness({ onFailure: 'Extend', extendBy: '2h' }, bad);
    run.runUntil(END);
    assert.equal(run.status.phase, 'Progressing');
    assert.equal(run.dueAt('end'), at(END + 2 * HOUR));
    assert.equal(run.status.endsAt, at(END + 2 * HOUR));
    const [extension] = run.status.extensions ?? [];
    assert.equal(extension?.at, at(END));
    assert.equal(extension?.by, 'onFailure');
    assert.match(extension?.reason ?? '', /latency 1000ms at worst/);
    assert.equal(run.status.success, undefined);
    assert.ok(run.told().includes('Extended'));
    run.runUntil(END + 2 * HOUR - 1);
    assert.equal(run.status.phase, 'Progressing');
    run.runUntil(END + 2 * HOUR);
    assert.equal(run.status.phase, 'Succeeded');
  });

  test('is held after maxExtensions', () => {
    const run = harness(
      { onFailure: 'Extend', extendBy: '2h' },
      violated(END - 30 * MINUTE, END + 3 * HOUR),
    );
    run.runUntil(END + 2 * HOUR);
    assert.equal(run.status.phase, 'Held');
    assert.equal(run.status.holds?.[0]?.reason, 'CriteriaMissed');
    run.runUntil(END + 10 * HOUR);
    assert.equal(run.status.extensions?.length, 1);
    assert.equal(run.events.filter(({ reason }) => reason === 'CriteriaMissed').length, 2);
  });

  test('is judged anew when a person changes the criteria', () => {
    const run = harness({ onFailure: 'Hold' }, bad);
    run.runUntil(END + HOUR);
    run.edit({ success: { criteria: [{ ...criterion, condition: '< 2s' }] } });
    run.runFor(MINUTE);
    assert.equal(run.status.phase, 'Succeeded');
  });

  test('is not looked for while a Critical trigger is Pending: that decides first', () => {
    const run = harness({ onFailure: 'Extend' }, bad);
    const slow = run.world.series;
    run.world.series = (query, atMs) =>
      query.startsWith('errors') && atMs >= END - 3 * MINUTE ? 1 : slow(query, atMs);
    run.runUntil(END + MINUTE);
    assert.equal(run.status.phase, 'Held');
    assert.equal(run.status.extensions, undefined);
    run.runUntil(END + 2 * MINUTE);
    assert.equal(run.status.phase, 'RolledBack');
  });
});

describe('what was met', () => {
  const warning = {
    name: 'noise',
    severity: 'Warning',
    query: 'noise',
    condition: '> 1',
  } as const;

  test('before a hold is judged anew when the hold is over', () => {
    const run = harness({}, violated(END + 10 * MINUTE, END + 30 * MINUTE), {
      triggers: [warning],
    });
    const slow = run.world.series;
    run.world.series = (query, atMs) =>
      query === 'noise' ? (atMs >= END - MINUTE && atMs < END + HOUR ? 2 : 0) : slow(query, atMs);
    run.runUntil(END + MINUTE);
    assert.equal(run.status.phase, 'Held');
    assert.equal(run.status.success?.outcome, 'Met');
    run.runUntil(END + 2 * HOUR);
    assert.equal(run.status.holds?.[0]?.reason, 'CriteriaMissed');
  });

  test('is watched for thenMonitorFor, and a trigger that fires then rolls back', () => {
    const run = harness({ thenMonitorFor: '2h' });
    run.runUntil(END + HOUR);
    assert.equal(run.status.phase, 'Monitoring');
    run.world.series = (query) => (query.includes('errors') ? 1 : 0.1);
    run.runUntil(END + 2 * HOUR);
    assert.equal(run.status.phase, 'RolledBack');
    assert.equal(run.weight(), 0);
  });
});

describe('what else is required', () => {
  test('NoCriticalAlerts: one that fired at any time of the window is a miss', () => {
    const run = harness({ require: ['NoCriticalAlerts'] });
    const asked: string[] = [];
    run.world.series = (query, atMs) => {
      if (!query.includes('severity="critical"')) return 0;
      asked.push(query);
      return atMs >= T0 + HOUR && atMs < T0 + HOUR + MINUTE ? 2 : 0;
    };
    run.runUntil(END);
    assert.match(
      run.status.message ?? '',
      /NoCriticalAlerts 2 at worst, not == 0, for 45s since 13:00:00/,
    );
    assert.equal(
      asked[0],
      'count(ALERTS{alertstate="firing",severity="critical",namespace="shop",genesis_trigger=""}) or vector(0)',
    );
  });

  test('MonitoringOperational: more than 1 % of the window without readings is a miss', () => {
    for (const [blindMs, phase] of [
      [MINUTE, 'Succeeded'],
      [10 * MINUTE, 'Held'],
    ] as const) {
      const run = harness({ criteria: [], require: ['MonitoringOperational'] });
      run.world.fault = (now) =>
        now >= T0 + 90 * MINUTE && now < T0 + 90 * MINUTE + blindMs ? 'timeout' : undefined;
      run.runUntil(END + HOUR);
      assert.equal(run.status.phase, phase, run.status.message);
      if (phase === 'Held') {
        assert.match(
          run.status.message ?? '',
          /no reading for 10m0s of 3h10m0s \(5.3%\), 1% is allowed/,
        );
      }
    }
  });
});

describe('a criterion by a health suite', () => {
  const spec: Partial<RolloutSpecInput> = {
    healthSuites: [
      { name: 'smoke', interval: '5m', timeout: '1m', http: { url: 'http://suite/run' } },
    ],
  };
  const success: Success = { criteria: [{ name: 'rate', suite: 'smoke', condition: '>= 98%' }] };
  /** So many runs in a row with one failure in ten, all others good. */
  const badFor = (runs: number, fromMs: number) => (_name: string, now: number) =>
    now >= fromMs && now < fromMs + runs * 5 * MINUTE
      ? suiteRun({ passed: 9, failed: 1 })
      : suiteRun({ passed: 10 });

  test('is judged on the results of the window: one bad result is a violation until the next one', () => {
    for (const [badRuns, phase] of [
      [2, 'Succeeded'],
      [3, 'Held'],
    ] as const) {
      const run = harness(success, undefined, spec);
      run.world.suite = badFor(badRuns, T0 + 100 * MINUTE);
      run.runUntil(END + HOUR);
      assert.equal(run.status.phase, phase, run.status.message);
      if (phase === 'Held') assert.match(run.status.message ?? '', /rate 90% at worst, not >= 98%/);
    }
  });

  test('is judged by what all processes have kept, once that is known', () => {
    for (const [badRuns, phase] of [
      [0, 'Succeeded'],
      [3, 'Held'],
    ] as const) {
      const run = harness(success, undefined, spec);
      run.world.suite = badFor(badRuns, T0 + 20 * MINUTE);
      run.runUntil(T0 + HOUR);
      run.restart();
      run.runUntil(END - SECOND);
      run.restart();
      run.evidence.isKnown = false;
      run.runUntil(END + SECOND);
      assert.equal(run.status.holds?.[0]?.reason, 'CriteriaUnknown', run.status.message);
      run.evidence.isKnown = true;
      run.runUntil(END + 10 * MINUTE);
      assert.equal(run.status.phase, phase, run.status.message);
    }
  });

  test('counts time in which the suite could not be run, from its first run on', () => {
    const run = harness(success, undefined, spec);
    run.world.suite = (_name, now) =>
      now < T0 + 100 * MINUTE ? suiteFailure('connection refused') : suiteRun({ passed: 10 });
    run.runUntil(END + HOUR);
    assert.equal(run.status.phase, 'Held');
    assert.match(run.status.message ?? '', /rate: readings cover [0-9.]+% of .*, 99% are needed/);
  });

  test('counts no time before the edit that has added the suite', () => {
    const run = harness(success, undefined, { ...spec, success: { criteria: [] } });
    const { healthSuites = [] } = spec;
    run.edit({ healthSuites: [], success: { criteria: [] } });
    run.runUntil(T0 + HOUR);
    run.edit({ healthSuites, success: { ...success, onFailure: 'Hold' } });
    run.world.suite = () => suiteRun({ passed: 10 });
    run.runUntil(END + HOUR);
    assert.equal(run.status.phase, 'Succeeded', run.status.message);
  });
});

describe('SnapshotsComplete', () => {
  test('is met by a run that was looked after, and missed where nobody was there', () => {
    const looked = harness({ criteria: [], require: ['SnapshotsComplete'] });
    looked.runUntil(END);
    assert.equal(looked.status.phase, 'Succeeded', looked.status.message);
    const asleep = harness({ criteria: [], require: ['SnapshotsComplete'] });
    asleep.runUntil(T0 + 70 * MINUTE);
    asleep.sleepUntil(T0 + 100 * MINUTE);
    asleep.runUntil(END + HOUR);
    assert.equal(asleep.status.phase, 'Held');
    assert.match(asleep.status.message ?? '', /snapshots are missing/);
  });
});

describe('a process that dies', () => {
  for (const crash of ['beforeStatus', 'beforeActions'] as const) {
    test(`(${crash}) at the judgement extends once all the same`, () => {
      const run = harness(
        { onFailure: 'Extend', extendBy: '2h' },
        violated(END - 30 * MINUTE, END - 10 * MINUTE),
      );
      run.runUntil(END - SECOND);
      run.crashNext = crash;
      run.sleepUntil(END);
      run.look();
      run.sleepUntil(END + 20 * SECOND);
      run.runUntil(END + HOUR);
      assert.equal(run.status.extensions?.length, 1);
      run.runUntil(END + 3 * HOUR);
      assert.equal(run.status.phase, 'Succeeded');
    });
  }
});
