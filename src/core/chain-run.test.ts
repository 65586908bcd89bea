/** The metric chain while a run is under way: the loop, what a broken link holds, and what it must never hold up. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HOUR, halfForTenHours, MINUTE, SECOND, T0 } from '#test/builders.ts';
import { finding, fine } from '#test/chain-findings.ts';
import { EngineHarness } from '#test/engine-harness.ts';
import type { ChainTruth } from '#test/virtual-chain.ts';
import type { ChainFinding } from './chain.ts';

const well: ChainTruth = () => ({ findings: [fine('metric', 'trigger errors')] });

/** Broken between two times since T0. */
function brokenFrom(fromMs: number, toMs: number, broken: ChainFinding): ChainTruth {
  return (nowMs) => ({
    findings: nowMs >= T0 + fromMs && nowMs < T0 + toMs ? [broken] : [],
  });
}

const panel = finding('panel', 'dashboard checkout', { cause: 'panelEmpty' });

function pages(run: EngineHarness): string[] {
  return run.events.flatMap(({ action, reason, note, at }) =>
    action === 'Page' ? [`${((at - T0) / MINUTE) | 0} ${reason}: ${note}`] : [],
  );
}

function holds(run: EngineHarness): string[] {
  return (run.status.holds ?? []).map(({ reason, by }) => `${reason} ${by}`);
}

describe('the loop', () => {
  test('checks every five minutes, and a steady state writes nothing', () => {
    const run = new EngineHarness({ spec: { schedule: halfForTenHours }, world: { chain: well } });
    run.runUntil(T0 + 2 * MINUTE);
    const before = { writes: run.statusWrites, checks: run.checks.checks.length };
    run.runUntil(T0 + 2 * HOUR + 2 * MINUTE);
    assert.equal(run.statusWrites, before.writes);
    assert.equal(run.checks.checks.length - before.checks, 24);
  });

  test('begins anew after a restart, spread over five minutes, and writes nothing', () => {
    const run = new EngineHarness({ spec: { schedule: halfForTenHours }, world: { chain: well } });
    run.runUntil(T0 + HOUR);
    const writes = run.statusWrites;
    run.restart();
    run.runUntil(T0 + HOUR + 5 * MINUTE);
    assert.equal(run.statusWrites, writes);
    const [first = 0] = run.checks.checks.filter((atMs) => atMs > T0 + HOUR);
    assert.ok(first > T0 + HOUR + SECOND, 'not at once');
  });

  test('goes on while a person has paused', () => {
    const run = new EngineHarness({ spec: { schedule: halfForTenHours }, world: { chain: well } });
    run.runUntil(T0 + MINUTE);
    run.edit({ paused: true });
    run.runUntil(T0 + 21 * MINUTE);
    assert.ok(run.checks.checks.length >= 4);
  });

  test('ends with the run', () => {
    const run = new EngineHarness({ world: { chain: well } });
    run.runUntil(T0 + 4 * HOUR);
    assert.equal(run.status.phase, 'Succeeded');
    const { length } = run.checks.checks;
    run.runUntil(T0 + 6 * HOUR);
    assert.equal(run.checks.checks.length, length);
  });
});

describe('in the run a broken link', () => {
  test('holds from the first check on, pages at the second, once, and is taken back when mended', () => {
    const chain = brokenFrom(30 * MINUTE, 70 * MINUTE, panel);
    const run = new EngineHarness({ world: { chain } });
    run.runUntil(T0 + 30 * MINUTE + 10 * SECOND);
    assert.deepEqual(holds(run), ['ChainSuspected dashboard checkout']);
    const since = run.status.holds?.[0]?.since;
    run.runUntil(T0 + 69 * MINUTE);
    assert.deepEqual(holds(run), ['ChainBroken dashboard checkout']);
    assert.equal(run.status.holds?.[0]?.since, since);
    assert.equal(run.status.step, 'dark', 'half was due at 60m');
    assert.deepEqual(pages(run), [
      '31 ChainBroken: dashboard checkout: the panel is broken; Mend it',
    ]);
    run.runUntil(T0 + 72 * MINUTE);
    assert.deepEqual(holds(run), []);
    assert.equal(run.status.step, 'half');
    assert.ok(run.told().includes('HoldEnded'));
  });

  test('that was broken for one check alone calls nobody', () => {
    const chain = brokenFrom(30 * MINUTE, 30 * MINUTE + 30 * SECOND, panel);
    const run = new EngineHarness({ world: { chain } });
    run.runUntil(T0 + 40 * MINUTE);
    assert.deepEqual(holds(run), []);
    assert.deepEqual(pages(run), []);
    assert.ok(run.told().includes('Held'));
  });

  test('stays held over a restart, without a write and without a second page', () => {
    const run = new EngineHarness({
      world: { chain: brokenFrom(10 * MINUTE, 50 * MINUTE, panel) },
    });
    run.runUntil(T0 + 20 * MINUTE);
    const writes = run.statusWrites;
    run.restart();
    run.runUntil(T0 + 40 * MINUTE);
    assert.equal(run.statusWrites, writes);
    assert.deepEqual(holds(run), ['ChainBroken dashboard checkout']);
    assert.equal(pages(run).length, 1);
  });

  test('stays held while checks bring nothing', () => {
    let isHanging = false;
    const chain: ChainTruth = () => (isHanging ? { failure: 'hangs' } : { findings: [panel] });
    const world = { chain: well };
    const run = new EngineHarness({ world });
    run.runUntil(T0 + 4 * MINUTE);
    run.world.chain = chain;
    run.runUntil(T0 + 10 * MINUTE);
    isHanging = true;
    run.runUntil(T0 + 20 * MINUTE);
    assert.deepEqual(holds(run), ['ChainBroken dashboard checkout']);
  });

  test('is told by the trigger that has no reading, then by the chain, as one hold and one page', () => {
    let series: 'absent' | 0 = 0;
    const metric = finding('metric', 'trigger errors', { cause: 'disappeared' });
    const run = new EngineHarness({
      spec: { schedule: halfForTenHours },
      world: {
        series: () => series,
        chain: () => ({ findings: series === 'absent' ? [metric] : [] }),
      },
    });
    run.runUntil(T0 + 20 * MINUTE + 30 * SECOND);
    series = 'absent';
    run.runUntil(T0 + 23 * MINUTE);
    assert.deepEqual(holds(run), ['ChainBroken errors']);
    run.runUntil(T0 + 28 * MINUTE);
    assert.deepEqual(
      run.status.holds?.map(({ message }) => message),
      ['errors: the metric is broken; Mend it'],
    );
    assert.equal(pages(run).length, 1);
    series = 0;
    run.runUntil(T0 + 31 * MINUTE);
    assert.deepEqual(holds(run), []);
  });

  test('on which several rely is one hold that names them, dated by the first that told', () => {
    const shared = finding('metric', 'trigger errors, criterion errors', { cause: 'disappeared' });
    let series: 'absent' | 0 = 0;
    const run = new EngineHarness({
      spec: { schedule: halfForTenHours },
      world: {
        series: () => series,
        chain: () => ({ findings: series === 'absent' ? [shared] : [] }),
      },
    });
    run.runUntil(T0 + 20 * MINUTE + 30 * SECOND);
    series = 'absent';
    run.runUntil(T0 + 23 * MINUTE);
    const since = run.status.holds?.[0]?.since;
    run.runUntil(T0 + 30 * MINUTE);
    assert.deepEqual(holds(run), ['ChainBroken errors, criterion errors']);
    assert.equal(run.status.holds?.[0]?.since, since);
    assert.equal(pages(run).length, 1);
  });

  const nothing: readonly (readonly [string, ChainFinding])[] = [
    ['missed scrapes', finding('scrape', 'trigger errors', { cause: 'scrapesMissed' })],
    ['no traffic expected', finding('sample', 'trigger errors', { verdict: 'noTrafficExpected' })],
    ['no traffic yet', finding('sample', 'trigger errors', { cause: 'noTrafficYet' })],
    ['what cannot be told', finding('target', 'trigger errors', { verdict: 'cannotTell' })],
    ['Prometheus, which its triggers tell', finding('prometheus', 'prometheus')],
  ];
  for (const [what, found] of nothing) {
    test(`holds nothing where it is ${what}`, () => {
      const run = new EngineHarness({ world: { chain: brokenFrom(10 * MINUTE, HOUR, found) } });
      run.runUntil(T0 + 30 * MINUTE);
      assert.deepEqual(holds(run), []);
    });
  }
});

describe('a rise', () => {
  test('that is due after a restart waits for the check, and for nothing else', () => {
    const run = new EngineHarness({ world: { chain: well } });
    run.runUntil(T0 + 59 * MINUTE + 59 * SECOND);
    run.restart();
    run.world.chain = () => ({ failure: 'hangs' });
    run.runUntil(T0 + 65 * MINUTE);
    assert.equal(run.status.step, 'dark');
    assert.ok(holds(run).includes('ChainNotChecked chain'));
    run.world.chain = well;
    run.runUntil(T0 + 67 * MINUTE);
    assert.equal(run.status.step, 'half');
  });

  test('needs a report of the last quarter of an hour', () => {
    const run = new EngineHarness({ world: { chain: well } });
    run.runUntil(T0 + 40 * MINUTE);
    // As long as one check hangs nothing newer is known.
    run.checks.hang();
    run.runUntil(T0 + 70 * MINUTE);
    assert.equal(run.status.step, 'dark');
    assert.ok(holds(run).includes('ChainNotChecked chain'));
  });
});

describe('a promotion', () => {
  test('that is due after a restart waits for the check', () => {
    const run = new EngineHarness({
      spec: { success: { thenMonitorFor: '1h' } },
      world: { chain: well },
    });
    run.runUntil(T0 + 4 * HOUR - 10 * SECOND);
    assert.equal(run.status.phase, 'Monitoring');
    run.restart();
    run.world.chain = () => ({ failure: 'hangs' });
    run.runUntil(T0 + 4 * HOUR + 10 * MINUTE);
    assert.deepEqual(holds(run), ['ChainNotChecked chain']);
    run.world.chain = well;
    run.runUntil(T0 + 4 * HOUR + 12 * MINUTE);
    assert.equal(run.status.phase, 'Succeeded');
  });
});

describe('a fired trigger rolls back at the very same moment,', () => {
  const chains: readonly (readonly [string, ChainTruth | undefined])[] = [
    ['whether nobody checks', undefined],
    ['the chain is well', well],
    ['it is broken', brokenFrom(10 * MINUTE, HOUR, panel)],
    [
      'or its check brings nothing',
      (nowMs) => (nowMs < T0 + MINUTE ? well(nowMs) : { failure: '' }),
    ],
  ];
  for (const [what, chain] of chains) {
    test(what, () => {
      const run = new EngineHarness({
        spec: { schedule: halfForTenHours },
        world: { chain, series: (_, atMs) => (atMs >= T0 + 20 * MINUTE ? 1 : 0) },
      });
      run.runUntil(T0 + 30 * MINUTE);
      const zero = run.writes.find(({ weight, at }) => weight === 0 && at > T0 + MINUTE);
      assert.equal(zero?.at, T0 + 25 * MINUTE);
    });
  }
});

describe('MonitoringOperational', () => {
  const judged = (toMs: number) => {
    const run = new EngineHarness({
      spec: { success: { require: ['MonitoringOperational'] } },
      world: { chain: brokenFrom(10 * MINUTE, toMs, finding('grafana', 'grafana')) },
    });
    run.runUntil(T0 + 5 * HOUR);
    return run;
  };

  test('is missed when Grafana was down for more than 1 % of the window', () => {
    const run = judged(15 * MINUTE);
    assert.equal(run.status.phase, 'Held');
    assert.match(
      run.status.success?.missed[0] ?? '',
      /^MonitoringOperational: Alertmanager or Grafana was down for \dm\d+s of 3h0m0s \(\d\.\d%\), 1% is allowed/,
    );
  });

  test('is met when it was down for less', () => {
    assert.equal(judged(11 * MINUTE).status.phase, 'Succeeded');
  });
});
