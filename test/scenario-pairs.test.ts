/**
 * Every ordered pair of the critical rows of examples/genesis-48h.yaml: the second condition becomes true a minute and a half
 * after the first, and the row whose time is over first rolls back, at that second.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { readScenario } from '#simulate/read-scenario.ts';
import { type Simulation, simulate } from '#simulate/simulate.ts';

const MINUTE = 60;
const FIRST = 60 * MINUTE;
const SECOND = FIRST + 90;
const STEP = 15;
const SUITE_EVERY = 5 * MINUTE;
const SUITE_TAKES = 30;
const START = Date.parse('2026-11-02T08:00:00Z');

/** What a breach that begins so many seconds after the start adds to the scenario. */
interface World {
  readonly series?: object;
  readonly suites?: object;
  readonly at?: object;
}

interface Row {
  readonly trigger: string;
  readonly breach: (atS: number) => World;
  /** When the condition is first seen to be true. */
  readonly seen: (atS: number) => number;
  /** From there to the rollback: `for`, and `after` of the rung. */
  readonly takes: number;
}

const exactly = (atS: number) => atS;
/** `axn` are n + 1 samples: the first bad one comes a step later. */
const values = (good: string, bad: string) => (atS: number) => `${good}x${atS / STEP} ${bad}x2000`;

/** @param samples one that is no breach, and one that is */
function metricRow(
  trigger: string,
  metric: string,
  [good, bad]: readonly [string, string],
  minutes: number,
): Row {
  return {
    trigger,
    breach: (atS) => ({ series: { metric, values: values(good, bad)(atS) } }),
    seen: (atS) => atS + STEP,
    takes: minutes * MINUTE,
  };
}

const rows: readonly Row[] = [
  {
    trigger: 'pass-rate',
    breach: (atS) => ({
      suites: {
        suite: 'production-health',
        takes: `${SUITE_TAKES}s`,
        results: [{ at: '0s' }, { at: `${atS}s`, failures: ['a', 'b', 'c'] }],
      },
    }),
    seen: (atS) => Math.ceil(atS / SUITE_EVERY) * SUITE_EVERY + SUITE_TAKES,
    takes: 10 * MINUTE,
  },
  metricRow('error-rate', 'error-rate', ['0', '0.02'], 5),
  metricRow('latency', 'latency-p95', ['0.1', '0.8'], 10),
  {
    trigger: 'service-down',
    breach: (atS) => ({ series: { probe: 'service-down', values: values('1', '0')(atS) } }),
    seen: (atS) => atS + STEP,
    takes: 3 * MINUTE,
  },
  metricRow('osworld-success', 'osworld-success', ['0.95', '0.8'], 5),
  metricRow('dedup-collapse', 'dedup-rate', ['0.4', '0.1'], 10),
  metricRow('osworld-memory', 'osworld-memory', ['1000000', '31457280'], 5),
  metricRow('langmem-memory', 'langmem-memory', ['1000000', '30000000'], 5),
  {
    trigger: 'critical-alerts',
    breach: (atS) => ({
      series: {
        series: 'ALERTS{alertname="A",alertstate="firing",severity="critical",namespace="genesis"}',
        values: `_x${atS / STEP} 1x2000`,
      },
    }),
    seen: exactly,
    takes: 10 * MINUTE,
  },
  {
    trigger: 'canary-down',
    breach: (atS) => ({ at: { at: `${atS}s`, ready: { canary: 0 } } }),
    seen: exactly,
    takes: 2 * MINUTE,
  },
];

const cpuHolds: World = { series: { metric: 'cpu', values: '0.3x120 0.9x2000' } };

function run(worlds: readonly World[]): Simulation {
  const some = (key: keyof World) => worlds.flatMap((one) => one[key] ?? []);
  const scenario = {
    rolloutFile: 'genesis-48h.yaml',
    rolloutPatch: {
      spec: {
        traffic: { featureFlag: { restart: null } },
        schedule: {
          steps: [
            { name: 'deploy', at: '0h', weight: 0 },
            { name: 'half', at: '10m', weight: 50 },
            { name: 'full', at: '30h', weight: 100 },
          ],
          checkpoints: null,
        },
      },
    },
    start: new Date(START).toISOString(),
    duration: '1h40m',
    others: 'healthy',
    series: some('series'),
    suites: some('suites'),
    at: some('at'),
  };
  const examples = join(import.meta.dirname, '..', 'examples');
  const read = readScenario({
    file: 'pair',
    // JSON is YAML.
    text: JSON.stringify(scenario),
    readBeside: (path) => readFileSync(join(examples, path), 'utf8'),
  });
  assert.ok(read.type === 'ok', JSON.stringify(read));
  const result = simulate(read.scenario);
  assert.ok(result.type === 'ok', JSON.stringify(result));
  return result;
}

const clock = (atS: number) => new Date(START + atS * 1000).toISOString().replace('.000Z', 'Z');

function assertRolledBack(simulation: Simulation, by: string, atS: number): void {
  const { status, lines, weight } = simulation;
  assert.equal(status.rollback?.trigger, by);
  assert.equal(status.rollback?.startedAt, clock(atS));
  const lowered = lines.filter((line) => line.kind === 'weight').at(-1);
  assert.deepEqual([lowered?.value, lowered?.atMs], [0, START + atS * 1000]);
  assert.equal(weight, 0);
  assert.equal(status.phase, 'RolledBack');
}

describe('of two critical conditions the one whose time is over first rolls back', () => {
  for (const first of rows) {
    for (const second of rows) {
      if (first === second) continue;
      test(`${first.trigger}, then ${second.trigger}`, () => {
        const due = [
          { row: first, atS: first.seen(FIRST) + first.takes },
          { row: second, atS: second.seen(SECOND) + second.takes },
        ].toSorted((a, b) => a.atS - b.atS);
        const [winner, loser] = due;
        assert.ok(winner !== undefined && loser !== undefined && winner.atS !== loser.atS);
        const simulation = run([first.breach(FIRST), second.breach(SECOND)]);
        assertRolledBack(simulation, winner.row.trigger, winner.atS);
      });
    }
  }
});

describe('a run that a warning holds is rolled back by a critical condition as if nothing held it', () => {
  for (const row of rows) {
    test(row.trigger, () => {
      const simulation = run([cpuHolds, row.breach(FIRST)]);
      assert.ok(simulation.lines.some(({ kind, by }) => kind === 'hold' && by === 'cpu-high'));
      assertRolledBack(simulation, row.trigger, row.seen(FIRST) + row.takes);
    });
  }
});
