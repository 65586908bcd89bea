/** What every decision carries: conditions to the convention, sentences within their limit. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { limits } from '#api/limits.ts';
import { errorsTrigger, HOUR, MINUTE, T0 } from '#test/builders.ts';
import { EngineHarness } from '#test/engine-harness.ts';

describe('the status', () => {
  test('cuts every message at its limit, however long a query is', () => {
    const long = `errors{service="$(arm.service)",path=~"${'a'.repeat(3000)}"}`;
    const run = new EngineHarness({
      spec: { triggers: [{ ...errorsTrigger, query: long, for: '1m' }] },
      world: {
        series: (query, atMs) => (query.includes('"new"') && atMs > T0 + 90 * MINUTE ? 1 : 0),
      },
    });
    run.runUntil(T0 + 2 * HOUR);
    assert.equal(run.status.phase, 'RolledBack');
    const found = JSON.stringify(run.status).matchAll(/"message":("(?:[^"\\]|\\.)*")/g);
    const messages = Array.from(found, ([, text = '']) => String(JSON.parse(text)).length);
    assert.ok(messages.length > 5);
    assert.equal(Math.max(...messages), limits.messageLengthMax);
  });

  test('keeps lastTransitionTime until the status of a condition changes', () => {
    const run = new EngineHarness();
    run.runUntil(T0 + 30 * MINUTE);
    const before = run.status.conditions ?? [];
    run.annotate('pause 1');
    run.runFor(MINUTE);
    for (const condition of run.status.conditions ?? []) {
      const was = before.find((one) => one.type === condition.type);
      const isSame = was?.status === condition.status;
      assert.equal(
        was?.lastTransitionTime === condition.lastTransitionTime,
        isSame,
        condition.type,
      );
    }
    assert.equal(run.condition('Paused')?.status, 'True');
  });

  const rows = [
    {
      phase: 'Progressing',
      minute: 30,
      abort: false,
      is: 'Ready False, Reconciling True, Stalled False',
    },
    {
      phase: 'Succeeded',
      minute: 200,
      abort: false,
      is: 'Ready True, Reconciling False, Stalled False',
    },
    {
      phase: 'RolledBack',
      minute: 30,
      abort: true,
      is: 'Ready False, Reconciling False, Stalled True',
    },
  ];
  for (const { phase, minute, abort, is } of rows) {
    test(`says of ${phase}: ${is}`, () => {
      const run = new EngineHarness();
      run.runUntil(T0 + minute * MINUTE);
      if (abort) run.annotate('abort 1');
      run.runFor(MINUTE);
      assert.equal(run.status.phase, phase);
      const said = ['Ready', 'Reconciling', 'Stalled'].map(
        (type) => `${type} ${run.condition(type)?.status}`,
      );
      assert.equal(said.join(', '), is);
    });
  }

  test('names the problems of a route that hinder nothing', () => {
    const run = new EngineHarness();
    run.runUntil(T0 + 30 * MINUTE);
    run.route().problems = [
      { reason: 'PartialCoverage', message: 'rule 2 names only old', blocking: false },
    ];
    run.nextAt = run.now;
    run.runFor(MINUTE);
    assert.equal(run.status.routes?.[0]?.problem, 'rule 2 names only old');
    assert.equal(run.status.phase, 'Progressing');
  });
});
