/** The metric chain before the first step, and at a checkpoint: what is broken holds, is named, and is looked at again. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import type { RolloutSpecInput } from '#api/rollout.ts';
import { HOUR, MINUTE, SECOND, T0, threeSteps } from '#test/builders.ts';
import { brokenLinks, finding, fine } from '#test/chain-findings.ts';
import { EngineHarness } from '#test/engine-harness.ts';

describe('before the first step a broken link', () => {
  for (const [link, of, cause] of brokenLinks) {
    test(`${link} holds and is named; mended, the run begins within a minute`, () => {
      let isBroken = true;
      const found = finding(link, of, { cause });
      const chain = () => ({ findings: isBroken ? [found] : [fine(link, of)] });
      const run = new EngineHarness({ world: { chain } });
      run.runUntil(T0 + 10 * MINUTE);
      assert.equal(run.status.phase, 'Preflight');
      const by = of.replace('trigger ', '');
      assert.deepEqual(
        run.status.holds?.map((hold) => [hold.reason, hold.by, hold.message, hold.links]),
        [
          [
            'ChainBroken',
            by,
            `${by}: the ${link} is broken; Mend it`,
            [`${link} the ${link} of ${of}`],
          ],
        ],
      );
      assert.equal(run.condition('Reconciling')?.status, 'True');
      isBroken = false;
      run.runUntil(T0 + 11 * MINUTE + 5 * SECOND);
      assert.equal(run.status.phase, 'Progressing');
      assert.equal(run.status.step, 'dark');
    });
  }

  test('is one hold with every link of the one who relies on it', () => {
    const findings = [
      finding('metric', 'trigger errors'),
      finding('target', 'trigger errors'),
      finding('panel', 'dashboard checkout'),
    ];
    const run = new EngineHarness({ world: { chain: () => ({ findings }) } });
    run.runUntil(T0 + MINUTE);
    assert.deepEqual(
      run.status.holds?.map(({ by, message }) => [by, message]),
      [
        ['errors', 'errors: the metric is broken; Mend it; the target is broken; Mend it'],
        ['dashboard checkout', 'dashboard checkout: the panel is broken; Mend it'],
      ],
    );
  });

  test('is told once, by the chain, where the query has no value either', () => {
    const run = new EngineHarness({
      world: {
        series: () => 'absent',
        chain: () => ({ findings: [finding('metric', 'trigger errors')] }),
      },
    });
    run.runUntil(T0 + 10 * MINUTE);
    assert.deepEqual(
      run.status.holds?.map(({ message }) => message),
      ['errors: the metric is broken; Mend it'],
    );
  });

  test('that turns into another one is named anew', () => {
    let link: 'metric' | 'label' = 'metric';
    const chain = () => ({ findings: [finding(link, 'trigger errors')] });
    const run = new EngineHarness({ world: { chain } });
    run.runUntil(T0 + MINUTE);
    link = 'label';
    run.runUntil(T0 + 3 * MINUTE);
    assert.match(run.status.holds?.[0]?.message ?? '', /label is broken/);
  });
});

describe('the check itself', () => {
  test('is waited for, and nobody is told of that', () => {
    const run = new EngineHarness({ world: { chain: () => ({ findings: [] }) } });
    run.runUntil(T0 + SECOND);
    assert.deepEqual(
      run.status.holds?.map(({ reason }) => reason),
      ['PreflightUnknown'],
    );
    assert.equal(run.condition('Ready')?.reason, 'PreflightUnknown');
    run.runUntil(T0 + 3 * SECOND);
    assert.equal(run.status.step, 'dark');
    assert.ok(!run.told().some((reason) => reason === 'Held' || reason === 'HoldEnded'));
  });

  test('that brings nothing holds, says why, and is tried again every minute', () => {
    const chain = () => ({ failure: 'no answer within 60 s' });
    const run = new EngineHarness({ world: { chain } });
    run.runUntil(T0 + 5 * MINUTE);
    assert.deepEqual(
      run.status.holds?.map(({ reason, message }) => [reason, message]),
      [
        [
          'ChainNotChecked',
          'the metric chain could not be checked, and is tried again: no answer within 60 s',
        ],
      ],
    );
    assert.equal(run.checks.checks.length, 5);
  });

  test('of a spec that was edited meanwhile does not count', () => {
    const run = new EngineHarness({
      world: { chain: () => ({ findings: [finding('metric', 'trigger errors')] }) },
    });
    run.runUntil(T0 + MINUTE);
    const { length } = run.checks.checks;
    run.world.chain = () => ({ failure: 'hangs' });
    run.edit({ historyLimit: 3 });
    run.runFor(10 * SECOND);
    assert.equal(run.status.phase, 'Preflight');
    assert.equal(run.checks.checks.length, length + 1);
  });

  test('says in the event what it has proved, and what it could not tell', () => {
    const chain = () => ({
      findings: [
        fine('metric', 'trigger errors'),
        finding('target', 'trigger errors', { verdict: 'cannotTell', message: 'no targets API' }),
        finding('sample', 'trigger errors', { verdict: 'noTrafficExpected' }),
      ],
    });
    const run = new EngineHarness({ world: { chain } });
    run.runUntil(T0 + MINUTE);
    const passed = run.events.find(({ reason }) => reason === 'PreflightPassed');
    assert.equal(
      passed?.note,
      'preflight passed; 1 links of the metric chain are proved, 1 have no traffic yet, 1 cannot be told (trigger errors: no targets API)',
    );
  });

  test('makes a warning of advice, and the run begins', () => {
    const advice = finding('rule', 'alert rule A', { verdict: 'advice', message: 'nobody told' });
    const run = new EngineHarness({ world: { chain: () => ({ findings: [advice] }) } });
    run.runUntil(T0 + MINUTE);
    assert.ok(run.told().includes('PreflightAdvice'));
    assert.equal(run.status.step, 'dark');
  });
});

describe('by policy', () => {
  const broken = () => ({ findings: [finding('metric', 'trigger errors')] });

  test('Advise: the report is waited for and told, and the run goes on', () => {
    const run = new EngineHarness({
      spec: { preflight: { policy: 'Advise' } },
      world: { chain: broken },
    });
    run.runUntil(T0 + MINUTE);
    const advice = run.events.find(({ reason }) => reason === 'PreflightAdvice');
    assert.match(advice?.note ?? '', /^errors: the metric is broken; Mend it/);
    run.runUntil(T0 + 30 * MINUTE);
    assert.equal(run.status.phase, 'Progressing');
  });

  test('Advise: a check that brings nothing is told too', () => {
    const run = new EngineHarness({
      spec: { preflight: { policy: 'Advise' } },
      world: { chain: () => ({ failure: 'hangs' }) },
    });
    run.runUntil(T0 + MINUTE);
    assert.ok(run.told().includes('PreflightAdvice'));
    assert.equal(run.status.step, 'dark');
  });

  test('Skip: nothing is waited for, and nothing is held', () => {
    const run = new EngineHarness({
      spec: { preflight: { policy: 'Skip' } },
      world: { chain: broken },
    });
    run.runUntil(T0 + SECOND);
    assert.equal(run.status.step, 'dark');
    run.runUntil(T0 + HOUR / 2);
    assert.equal(run.status.phase, 'Progressing');
    assert.ok(run.checks.checks.length > 4, 'what the systems are like is recorded all the same');
  });
});

describe('a checkpoint that requires Preflight', () => {
  const withCheckpoint = (onFailure: 'Hold' | 'Rollback') => ({
    schedule: {
      ...threeSteps,
      checkpoints: [{ name: 'chain', at: '90m', require: ['Preflight' as const], onFailure }],
    },
  });
  const dueMs = T0 + 90 * MINUTE;

  test('asks for a check that began when it was due', () => {
    const run = new EngineHarness({
      spec: withCheckpoint('Hold'),
      world: { chain: () => ({ findings: [] }) },
    });
    run.runUntil(dueMs + 10 * SECOND);
    const begun = run.checks.checks.find((atMs) => atMs >= dueMs) ?? 0;
    assert.ok(begun > 0 && Date.parse(run.passedAt('chain') ?? '') > begun);
  });

  test('waits for a second look, fails, and passes once the link is mended', () => {
    let isBroken = false;
    const panel = finding('panel', 'dashboard checkout', { cause: 'panelEmpty' });
    const chain = () => ({ findings: isBroken ? [panel] : [] });
    const run = new EngineHarness({ spec: withCheckpoint('Hold'), world: { chain } });
    run.runUntil(dueMs - MINUTE);
    isBroken = true;
    run.runUntil(dueMs + 30 * SECOND);
    assert.equal(run.status.checkpoints?.[0]?.outcome, 'Waiting');
    run.runUntil(dueMs + 3 * MINUTE);
    assert.equal(run.status.checkpoints?.[0]?.outcome, 'Failed');
    assert.match(run.status.checkpoints?.[0]?.message ?? '', /dashboard checkout: the panel/);
    isBroken = false;
    run.runUntil(dueMs + 5 * MINUTE);
    assert.equal(run.status.checkpoints?.[0]?.outcome, 'Passed');
  });

  test('rolls back for what is broken twice, and not for what is broken once', () => {
    for (const brokenForMs of [30 * SECOND, 3 * MINUTE]) {
      const chain = (nowMs: number) => ({
        findings:
          nowMs >= dueMs && nowMs < dueMs + brokenForMs ? [finding('grafana', 'grafana')] : [],
      });
      const run = new EngineHarness({ spec: withCheckpoint('Rollback'), world: { chain } });
      run.runUntil(dueMs + 10 * MINUTE);
      assert.equal(run.status.rollback !== undefined, brokenForMs > MINUTE);
    }
  });

  test('counts missed scrapes, which hold nothing in the run', () => {
    const scrapes = finding('scrape', 'trigger errors', { cause: 'scrapesMissed' });
    const chain = (nowMs: number) => ({ findings: nowMs < T0 + HOUR ? [] : [scrapes] });
    const run = new EngineHarness({ spec: withCheckpoint('Hold'), world: { chain } });
    run.runUntil(dueMs - MINUTE);
    assert.equal(run.status.step, 'half');
    assert.deepEqual(run.status.holds, []);
    run.runUntil(dueMs + 5 * MINUTE);
    assert.equal(run.status.checkpoints?.[0]?.outcome, 'Failed');
  });

  test('of the 48-hour plan holds for a panel without data', () => {
    const file = new URL('../../examples/genesis-48h.yaml', import.meta.url);
    const { spec } = parse(readFileSync(file, 'utf8')) as { spec: RolloutSpecInput };
    const { backtest: _, ...preflight } = spec.preflight ?? {};
    const of = 'dashboard genesis-osworld-langmem';
    const chain = (nowMs: number) => ({
      findings: nowMs < T0 + HOUR / 2 ? [] : [finding('panel', of, { cause: 'panelEmpty' })],
    });
    const input = { ...spec, preflight, triggers: [] };
    const run = new EngineHarness({ input, world: { chain } });
    run.runUntil(T0 + HOUR + 5 * MINUTE);
    assert.equal(run.status.phase, 'Held');
    const checkpoint = run.status.checkpoints?.find(({ name }) => name === 'dashboards');
    assert.equal(checkpoint?.outcome, 'Failed');
    assert.match(checkpoint?.message ?? '', /dashboard genesis-osworld-langmem: the panel/);
  });
});
