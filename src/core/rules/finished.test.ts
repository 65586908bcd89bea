/** After a rollback: what is asserted from then on, and when a route is let go. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HOUR, MINUTE, SECOND } from '#test/builders.ts';
import { decidedAt, failingCanary } from '#test/failing-canary.ts';

describe('after a rollback', () => {
  test('the end state is asserted, for as long as others declare anything else', () => {
    const run = failingCanary({ route: { weight: 0 } });
    run.writeElsewhere(30);
    run.runUntil(decidedAt + MINUTE);
    assert.equal(run.status.phase, 'RolledBack');
    assert.equal(run.status.routes?.[0]?.declared, 30);
    assert.equal(run.route().owned, true);
    run.runUntil(decidedAt + 10 * HOUR);
    run.writeElsewhere(30);
    run.runUntil(run.now);
    assert.equal(run.weight(), 0);
    assert.equal(run.route().owned, true);
  });

  test('it is let go once its owner declares 0, and not before', () => {
    const run = failingCanary();
    run.writeElsewhere(30);
    run.runUntil(decidedAt + MINUTE);
    // Git declares what is already there: both own the field now.
    run.route().writtenBy = 'argocd';
    run.nextAt = run.now;
    run.runUntil(run.now + SECOND);
    assert.equal(run.status.routes?.[0]?.released, true);
    assert.equal(run.route().owned, false);
    run.writeElsewhere(80);
    run.runUntil(run.now + HOUR);
    assert.equal(run.weight(), 80, 'what was let go is no longer ours');
  });

  test('a route that another raises at the moment of letting go is lowered first', () => {
    const run = failingCanary();
    run.writeElsewhere(30);
    run.runUntil(decidedAt + MINUTE);
    assert.equal(run.status.routes?.[0]?.released, undefined);
    // Its owner had declared 0, and before that was acted upon somebody else wrote 60.
    const routes = run.status.routes?.map((route) => ({ ...route, declared: 0 })) ?? [];
    run.status = { ...run.status, routes };
    run.writeElsewhere(60);
    run.runUntil(run.now + MINUTE);
    assert.equal(run.weight(), 0);
    assert.equal(run.status.routes?.[0]?.declared, 60);
  });

  test('what we had written ourselves is not taken for declared by the next run', () => {
    const run = failingCanary();
    run.writeElsewhere(30);
    run.runUntil(decidedAt + MINUTE);
    run.annotate('retry 1');
    run.runUntil(run.now + MINUTE);
    run.annotate('abort 2');
    run.runUntil(run.now + MINUTE);
    assert.equal(run.status.phase, 'RolledBack');
    assert.equal(run.status.routes?.[0]?.declared, 30);
    assert.equal(run.route().owned, true);
  });

  test('a write that fails is tried again, though nothing tells us to', () => {
    const run = failingCanary();
    run.writeElsewhere(30);
    run.runUntil(decidedAt + MINUTE);
    run.writeElsewhere(50);
    run.world.write = (_route, _action, now) => (now < decidedAt + 2 * MINUTE ? 'lost' : 'done');
    run.runUntil(decidedAt + 3 * MINUTE);
    assert.equal(run.weight(), 0);
  });
});
