/** Approvals and rejections of a step, in scenarios: whose counts, for how long, and what the waiting comes to. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { approve, messageOf, outcomeOf, withApproval } from '#test/approvals.ts';
import { HOUR, MINUTE, SECOND, T0 } from '#test/builders.ts';
import { finding } from '#test/chain-findings.ts';
import { EngineHarness } from '#test/engine-harness.ts';

describe('an approval', () => {
  test('is waited for, and the step is entered in the second it comes', () => {
    const harness = withApproval();
    harness.runUntil(T0 + 2 * HOUR);
    assert.equal(harness.status.phase, 'Held');
    assert.equal(harness.status.holds?.[0]?.reason, 'ApprovalRequired');
    assert.match(harness.status.message ?? '', /half needs 1 approval and has none/);
    harness.runFor(7 * SECOND);
    const name = harness.decide({ ...approve, reason: 'dashboards clean' });
    harness.runFor(0);
    assert.deepEqual(harness.writes, [
      { at: T0 + 2 * HOUR + 7 * SECOND, route: 'web', weight: 50 },
    ]);
    assert.equal(outcomeOf(harness, name), 'Applied');
    const { uid: _, message: __, ...entry } = harness.status.decisions?.[0] ?? {};
    assert.deepEqual(entry, {
      name,
      decision: 'Approve',
      step: 'half',
      by: 'alice@example.com',
      decidedAt: '2026-11-22T14:00:07Z',
      reason: 'dashboards clean',
      outcome: 'Applied',
      runId: harness.status.runId,
    });
    assert.ok(harness.told().includes('DecisionApplied'));
  });

  test('given before the step is due counts when it is', () => {
    const harness = withApproval();
    harness.runUntil(T0 + MINUTE);
    harness.decide(approve);
    harness.runUntil(T0 + HOUR);
    assert.deepEqual(harness.writes, [{ at: T0 + HOUR, route: 'web', weight: 50 }]);
  });

  test('counts once for each person towards the quorum', () => {
    const harness = withApproval({ quorum: 2 });
    harness.runUntil(T0 + HOUR);
    for (const by of ['alice', 'alice']) harness.decide({ ...approve, by });
    harness.runFor(MINUTE);
    assert.equal(harness.weight(), 0);
    assert.match(harness.status.message ?? '', /needs 2 approvals and has 1 \(alice\)/);
    harness.decide({ ...approve, by: 'bob' });
    harness.runFor(0);
    assert.equal(harness.weight(), 50);
  });

  test('by annotation is none', () => {
    const harness = withApproval();
    harness.runUntil(T0 + HOUR);
    harness.annotate('promote t1');
    harness.runFor(MINUTE);
    assert.equal(harness.weight(), 0);
    assert.equal(harness.status.holds?.[0]?.reason, 'ApprovalRequired');
  });

  test('is no matter of the next run of the same revision', () => {
    const harness = withApproval();
    harness.runUntil(T0 + MINUTE);
    harness.decide(approve);
    harness.runFor(MINUTE);
    harness.decide({ decision: 'Abort' });
    harness.runFor(HOUR);
    assert.equal(harness.status.phase, 'RolledBack');
    harness.decide({ decision: 'Retry' });
    harness.runFor(HOUR + MINUTE);
    assert.equal(harness.status.holds?.[0]?.reason, 'ApprovalRequired');
    assert.deepEqual(
      harness.status.decisions?.map((one) => [one.decision, one.outcome]),
      [
        ['Retry', 'Applied'],
        ['Abort', 'Applied'],
        ['Approve', 'Applied'],
      ],
    );
  });

  test('does not outlive a change of the step it was given for', () => {
    const harness = withApproval();
    harness.runUntil(T0 + MINUTE);
    harness.decide(approve);
    harness.runFor(MINUTE);
    const steps = [
      { name: 'dark', at: '0h', weight: 0 },
      { name: 'half', at: '1h', weight: 80, approval: {} },
      { name: 'full', at: '2h', weight: 100 },
    ];
    harness.edit({ schedule: { steps, end: '3h' } });
    harness.runUntil(T0 + HOUR);
    assert.equal(harness.weight(), 0);
    assert.equal(harness.status.holds?.[0]?.reason, 'ApprovalRequired');
  });

  test('that expires before the step is due does not count', () => {
    const harness = withApproval();
    harness.runUntil(T0 + MINUTE);
    const name = harness.decide({ ...approve, expiresAt: '2026-11-22T12:30:00Z' });
    harness.runUntil(T0 + HOUR);
    assert.equal(outcomeOf(harness, name), 'Applied');
    assert.equal(harness.weight(), 0);
  });

  test('that runs out while something else holds the step is missed at its very second', () => {
    const harness = withApproval();
    const panel = finding('panel', 'dashboard checkout', { cause: 'panelEmpty' });
    harness.world.chain = (nowMs) => ({ findings: nowMs < T0 + 50 * MINUTE ? [] : [panel] });
    harness.runUntil(T0 + HOUR - MINUTE);
    harness.decide({ ...approve, expiresAt: '2026-11-22T13:03:07Z' });
    const reasons = () => harness.status.holds?.map(({ reason }) => reason);
    harness.runUntil(T0 + HOUR + 3 * MINUTE + 6 * SECOND);
    assert.deepEqual(reasons(), ['ChainBroken']);
    harness.runUntil(T0 + HOUR + 3 * MINUTE + 7 * SECOND);
    assert.deepEqual(reasons(), ['ChainBroken', 'ApprovalRequired']);
  });
});

describe('an approval does not count', () => {
  test('of an author, even of one whose name has been taken off since', () => {
    const harness = withApproval({ notBy: 'Author' });
    harness.runUntil(T0 + MINUTE);
    harness.author = 'dave';
    harness.runUntil(T0 + HOUR);
    const names = ['carol', 'dave'].map((by) => harness.decide({ ...approve, by }));
    harness.runFor(MINUTE);
    assert.deepEqual(
      names.map((name) => outcomeOf(harness, name)),
      ['Refused', 'Refused'],
    );
    assert.match(messageOf(harness, names[0] ?? ''), /carol is an author of the change/);
    harness.decide({ ...approve, by: 'alice' });
    harness.runFor(0);
    assert.equal(harness.weight(), 50);
  });

  test('of somebody who turns out to be an author before the step is due', () => {
    const harness = withApproval({ notBy: 'Author' });
    harness.runUntil(T0 + MINUTE);
    harness.decide({ ...approve, by: 'alice' });
    harness.runFor(MINUTE);
    harness.author = 'alice';
    harness.runUntil(T0 + HOUR);
    assert.equal(harness.weight(), 0);
    assert.equal(harness.status.holds?.[0]?.reason, 'ApprovalRequired');
  });

  test('where the author may not approve and is not known', () => {
    const harness = withApproval({ notBy: 'Author' });
    harness.author = undefined;
    harness.runUntil(T0 + HOUR);
    const name = harness.decide(approve);
    harness.runFor(MINUTE);
    assert.equal(outcomeOf(harness, name), 'Refused');
    assert.match(
      harness.status.message ?? '',
      /no approval counts: the author may not approve, and/,
    );
  });

  test('while the policy is missing, and the status says why', () => {
    const harness = withApproval();
    const message = 'ValidatingAdmissionPolicy decisions.genesis.dev is not in the cluster';
    harness.decisionPolicy = { type: 'notEnforced', message };
    harness.runUntil(T0 + HOUR);
    const name = harness.decide(approve);
    harness.runFor(MINUTE);
    assert.equal(outcomeOf(harness, name), 'Refused');
    assert.ok(harness.status.message?.endsWith(`no approval counts: ${message}`));
    assert.equal(harness.weight(), 0);
  });

  test('when it was made before the policy was', () => {
    const harness = withApproval();
    harness.runUntil(T0 + HOUR);
    harness.decisionPolicy = { type: 'enforced', sinceMs: harness.now };
    const name = harness.decide(approve);
    harness.runFor(0);
    assert.equal(outcomeOf(harness, name), 'Refused');
    harness.runFor(MINUTE);
    harness.decide(approve);
    harness.runFor(0);
    assert.equal(harness.weight(), 50);
  });

  test('any more once the policy is gone', () => {
    const harness = withApproval();
    harness.runUntil(T0 + MINUTE);
    harness.decide(approve);
    harness.runFor(MINUTE);
    harness.decisionPolicy = { type: 'notEnforced', message: 'it is gone' };
    harness.runUntil(T0 + HOUR);
    assert.equal(harness.weight(), 0);
  });
});

describe('waiting for an approval', () => {
  test('for longer than expiresAfter goes back at its exact second, where it is to', () => {
    const harness = withApproval({ expiresAfter: '12m34s', onExpiry: 'Rollback' });
    harness.runUntil(T0 + 3 * HOUR);
    assert.equal(harness.status.phase, 'RolledBack');
    assert.equal(harness.status.rollback?.reason, 'ApprovalExpired');
    assert.equal(harness.status.rollback?.startedAt, '2026-11-22T13:12:34Z');
  });

  test('for longer than expiresAfter says so and stays, and a late approval opens it', () => {
    const harness = withApproval({ expiresAfter: '10m' });
    harness.runUntil(T0 + HOUR + 9 * MINUTE);
    assert.equal(harness.status.holds?.[0]?.reason, 'ApprovalRequired');
    harness.runFor(2 * MINUTE);
    assert.equal(harness.status.holds?.[0]?.reason, 'ApprovalExpired');
    assert.match(harness.status.message ?? '', /and 10m0s are over/);
    harness.decide(approve);
    harness.runFor(0);
    assert.equal(harness.weight(), 50);
  });

  test('begins when a person has ended the waiting before it', () => {
    const harness = withApproval({ expiresAfter: '10m', onExpiry: 'Rollback' });
    harness.runUntil(T0 + 20 * MINUTE);
    harness.decide({ decision: 'Promote' });
    harness.runFor(9 * MINUTE);
    assert.equal(harness.status.phase, 'Held');
    harness.runFor(2 * MINUTE);
    assert.equal(harness.status.rollback?.startedAt, '2026-11-22T12:30:00Z');
  });
});

describe('a rejection', () => {
  test('holds the step whatever others say, until the same person approves', () => {
    const harness = withApproval();
    harness.runUntil(T0 + 30 * MINUTE);
    harness.decide({ decision: 'Reject', step: 'half', by: 'bob' });
    harness.decide({ ...approve, by: 'alice' });
    harness.runUntil(T0 + 2 * HOUR);
    assert.equal(harness.status.holds?.[0]?.reason, 'Rejected');
    assert.match(harness.status.message ?? '', /half is rejected by bob/);
    harness.decide({ ...approve, by: 'bob' });
    harness.runFor(0);
    assert.equal(harness.weight(), 50);
  });

  test('of an author is taken back by the author, whose approval still does not count', () => {
    const harness = withApproval({ notBy: 'Author' });
    harness.author = 'carol';
    harness.runUntil(T0 + 30 * MINUTE);
    harness.decide({ decision: 'Reject', step: 'half', by: 'carol' });
    harness.runUntil(T0 + HOUR);
    assert.equal(harness.status.holds?.[0]?.reason, 'Rejected');
    harness.decide({ ...approve, by: 'carol' });
    harness.runFor(0);
    assert.match(harness.status.message ?? '', /half needs 1 approval and has none/);
    assert.equal(harness.weight(), 0);
    harness.decide({ ...approve, by: 'alice' });
    harness.runFor(0);
    assert.equal(harness.weight(), 50);
  });

  test('holds a step that asks for no approval too', () => {
    const harness = new EngineHarness();
    harness.runUntil(T0 + MINUTE);
    harness.decide({ decision: 'Reject', step: 'full', by: 'bob' });
    harness.runUntil(T0 + 3 * HOUR);
    assert.equal(harness.weight(), 50);
    harness.decide({ decision: 'Approve', step: 'full', by: 'bob' });
    harness.runFor(0);
    assert.equal(harness.weight(), 100);
  });
});
