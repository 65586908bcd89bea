/** A rollback is verified from traffic: its end is what a metric says, or its budget. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RolloutSpecInput } from '#api/rollout.ts';
import { HOUR, MINUTE, SECOND } from '#test/builders.ts';
import type { EngineHarness } from '#test/engine-harness.ts';
import { at, decidedAt, failingCanary, isCanary, START } from '#test/failing-canary.ts';

describe('verified from traffic', () => {
  const ratio = {
    bad: 'rate(bad{service="$(arm.service)"}[20s])',
    total: 'rate(total{service="$(arm.service)"}[20s])',
  };
  const triggers: RolloutSpecInput['triggers'] = [
    { name: 'errors', severity: 'Critical', ratio, condition: '> 0.5%', for: '1m' },
  ];
  /** Requests reach canary until `silentMs` after the weight was lowered. */
  function withTraffic(silentMs: number | undefined): EngineHarness {
    return failingCanary({
      spec: { triggers },
      world: {
        series: (query, atMs) => {
          if (!isCanary(query)) return 10;
          if (query.includes('bad')) return atMs >= START ? 10 : 'absent';
          if (atMs <= decidedAt) return 10;
          return silentMs === undefined ? 'absent' : atMs < decidedAt + silentMs ? 10 : 0;
        },
      },
    });
  }

  test('ends when the metric says that canary gets no more requests', () => {
    const run = withTraffic(20 * SECOND);
    run.runUntil(decidedAt + 10 * SECOND);
    assert.equal(run.weight(), 0);
    assert.equal(run.status.phase, 'RollingBack');
    run.runUntil(decidedAt + 40 * SECOND);
    assert.equal(run.status.phase, 'RolledBack');
    assert.equal(run.status.rollback?.completedAt, at(decidedAt + 30 * SECOND));
    assert.match(run.status.rollback?.stages[0]?.message ?? '', /canary gets no more requests/);
    // Silence follows from the rollback: what fired stays on record.
    assert.equal(run.trigger()?.state, 'Firing');
    assert.equal(run.trigger()?.firingAt, at(decidedAt));
  });

  test('is overrun and Degraded when requests go on, and canary is cut off', () => {
    const run = withTraffic(HOUR);
    run.runUntil(decidedAt + 2 * MINUTE);
    assert.equal(run.status.phase, 'RolledBack');
    assert.equal(run.status.rollback?.completedAt, at(decidedAt + MINUTE));
    assert.equal(run.status.rollback?.outcome, 'Degraded');
    assert.equal(run.status.rollback?.stages[0]?.outcome, 'Overrun');
    assert.equal(run.route().isolated, true);
    // Declared or not, it stays cut off until the next run begins.
    assert.equal(run.status.routes?.[0]?.released, undefined);
    run.edit({ revision: 'v3' });
    run.runUntil(decidedAt + 3 * MINUTE);
    assert.equal(run.route().isolated, false);
    assert.equal(run.status.step, 'dark');
  });

  test('does not call silence of the metric itself verified', () => {
    const run = withTraffic(undefined);
    run.runUntil(decidedAt + MINUTE);
    assert.equal(run.status.phase, 'RolledBack');
    assert.match(run.status.rollback?.stages[0]?.message ?? '', /no metric tells/);
  });

  test('waits no longer than the budget for a Prometheus that is down', () => {
    const run = withTraffic(20 * SECOND);
    run.world.fault = (now) => (now > decidedAt ? 'timeout' : undefined);
    run.runUntil(decidedAt + 2 * MINUTE);
    assert.equal(run.status.phase, 'RolledBack');
    assert.equal(run.status.rollback?.outcome, 'Degraded');
  });
});
