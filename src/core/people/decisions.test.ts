/** What people decide, in scenarios: who counts, what follows, and that each decision is applied once. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { DecisionSpec } from '#api/decision.ts';
import type { RolloutSpecInput } from '#api/rollout.ts';
import { HOUR, MINUTE, SECOND, T0, threeSteps } from '#test/builders.ts';
import { EngineHarness } from '#test/engine-harness.ts';

type ApprovalInput = NonNullable<
  NonNullable<RolloutSpecInput['schedule']>['steps'][number]['approval']
>;

/** `half` is due at 13:00 and wants an approval. */
function withApproval(approval: ApprovalInput = {}): EngineHarness {
  const steps = threeSteps.steps.map((step) =>
    step.name === 'half' ? { ...step, approval } : step,
  );
  const harness = new EngineHarness({ spec: { schedule: { ...threeSteps, steps } } });
  harness.author = 'carol';
  return harness;
}

function outcomeOf(harness: EngineHarness, name: string): string | undefined {
  return harness.decisions.outcomes.get(name)?.outcome;
}

function messageOf(harness: EngineHarness, name: string): string {
  return harness.decisions.outcomes.get(name)?.message ?? '';
}

const approve = { decision: 'Approve', step: 'half' } as const;

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

describe('a decision is refused with a reason', () => {
  const rows: readonly [string, Partial<DecisionSpec> & Pick<DecisionSpec, 'decision'>, RegExp][] =
    [
      [
        'about another revision',
        { decision: 'Pause', revision: 'v1' },
        /about revision v1, and the/,
      ],
      [
        'about another run',
        { decision: 'Pause', runId: 'r' },
        /about run r, and the current one is/,
      ],
      [
        'about no step',
        { ...approve, step: 'third' },
        /there is no step third; steps are dark, half/,
      ],
      [
        'about a passed step',
        { ...approve, step: 'dark' },
        /step dark was passed at 2026-11-22T12:00/,
      ],
      ['not asked for', { ...approve, step: 'full' }, /step full needs no approval; .* are half/],
      ['to retry what goes on', { decision: 'Retry' }, /only an ended one can be retried/],
      ['to resume what goes on', { decision: 'Resume' }, /nothing that a person could lift/],
      [
        'about no trigger',
        { decision: 'Acknowledge', step: 'x' },
        /no trigger x; triggers are errors/,
      ],
      ['about a calm trigger', { decision: 'Acknowledge', step: 'errors' }, /errors is Inactive/],
    ];
  for (const [name, spec, says] of rows) {
    test(name, () => {
      const harness = withApproval();
      harness.runUntil(T0 + MINUTE);
      const made = harness.decide(spec);
      // A revision that is not known may be about to come.
      harness.runFor(MINUTE);
      assert.equal(outcomeOf(harness, made), 'Refused');
      assert.match(messageOf(harness, made), says);
      assert.equal(harness.status.decisions?.[0]?.outcome, 'Refused');
      assert.ok(harness.told().includes('DecisionRefused'));
    });
  }

  test('after its time', () => {
    const harness = withApproval();
    harness.runUntil(T0 + MINUTE);
    const made = harness.decide({ decision: 'Pause', expiresAt: '2026-11-22T12:00:30Z' });
    harness.runFor(0);
    assert.equal(outcomeOf(harness, made), 'Expired');
    assert.equal(harness.status.phase, 'Progressing');
  });

  test('when the run has ended', () => {
    const harness = new EngineHarness();
    harness.runFor(4 * HOUR);
    const made = harness.decide({ decision: 'Abort' });
    harness.runFor(0);
    assert.match(messageOf(harness, made), /the run has ended \(Succeeded\)/);
    assert.equal(harness.weight(), 100);
  });
});

describe('a decision', () => {
  test('pauses with its reason, and resumes', () => {
    const harness = new EngineHarness();
    harness.runUntil(T0 + MINUTE);
    harness.decide({ decision: 'Pause', by: 'bob', reason: 'a fire next door' });
    harness.runUntil(T0 + 2 * HOUR);
    assert.equal(harness.status.phase, 'Paused');
    assert.match(harness.status.message ?? '', /paused by bob: a fire next door/);
    harness.decide({ decision: 'Resume' });
    harness.runFor(0);
    assert.equal(harness.weight(), 50);
  });

  test('promotes: ends the waiting of the current point alone', () => {
    const harness = new EngineHarness();
    harness.runUntil(T0 + 20 * MINUTE);
    harness.decide({ decision: 'Promote' });
    harness.runFor(MINUTE);
    assert.equal(harness.weight(), 50);
    assert.equal(harness.dueAt('full'), '2026-11-22T14:00:00Z');
    harness.runUntil(T0 + 2 * HOUR - SECOND);
    assert.equal(harness.weight(), 50);
  });

  test('aborts, before whatever else is asked at the same time', () => {
    const harness = withApproval();
    harness.runUntil(T0 + HOUR);
    const approval = harness.decide(approve);
    harness.decide({ decision: 'Abort', by: 'bob', reason: 'no' });
    harness.runFor(MINUTE);
    assert.equal(harness.status.phase, 'RolledBack');
    assert.deepEqual(harness.writes, []);
    assert.match(harness.status.rollback?.message ?? '', /aborted by Abort by bob .*: no/);
    assert.equal(outcomeOf(harness, approval), 'Refused');
  });

  test('acknowledges a trigger', () => {
    const harness = new EngineHarness({
      world: { series: (_query, at) => (at >= T0 + HOUR ? 1 : 0) },
    });
    harness.runUntil(T0 + HOUR + 2 * MINUTE);
    assert.equal(harness.trigger()?.state, 'Pending');
    harness.decide({ decision: 'Acknowledge', step: 'errors', by: 'bob' });
    harness.runFor(MINUTE);
    assert.equal(harness.trigger()?.acknowledgedBy, 'bob');
    assert.equal(harness.trigger()?.acknowledgedAt, '2026-11-22T13:02:00Z');
  });

  test('about a revision that is about to come waits for it', () => {
    const harness = withApproval();
    harness.runUntil(T0 + MINUTE);
    const early = harness.decide({ decision: 'Pause', revision: 'v3' });
    harness.runFor(5 * SECOND);
    assert.equal(outcomeOf(harness, early), undefined);
    harness.edit({ revision: 'v3' });
    harness.runFor(10 * SECOND);
    assert.equal(outcomeOf(harness, early), 'Applied');
    assert.equal(harness.status.phase, 'Paused');
    assert.equal(harness.status.revision, 'v3');
  });
});

describe('a decision is applied once', () => {
  test('when its outcome could not be written into it, and it is written as soon as it can be', () => {
    const harness = new EngineHarness();
    harness.losesOutcomes = true;
    harness.runUntil(T0 + MINUTE);
    const pause = harness.decide({ decision: 'Pause' });
    harness.runFor(MINUTE);
    harness.decide({ decision: 'Resume' });
    harness.runFor(5 * MINUTE);
    assert.equal(harness.status.phase, 'Progressing');
    assert.equal(harness.status.decisions?.length, 2);
    assert.equal(outcomeOf(harness, pause), undefined);
    harness.losesOutcomes = false;
    harness.runFor(MINUTE);
    assert.equal(outcomeOf(harness, pause), 'Applied');
    assert.equal(harness.status.phase, 'Progressing');
  });

  for (const crash of ['beforeFirst', 'beforeStatus', 'beforeActions'] as const) {
    test(`when the process dies ${crash}`, () => {
      const harness = withApproval();
      harness.runUntil(T0 + HOUR);
      const name = harness.decide(approve);
      harness.crashNext = crash;
      harness.look();
      harness.sleepUntil(harness.now + SECOND);
      harness.runFor(MINUTE);
      assert.equal(outcomeOf(harness, name), 'Applied');
      assert.equal(harness.status.decisions?.length, 1);
      assert.equal(harness.weight(), 50);
    });

    test(`when the process dies ${crash} of a retry`, () => {
      const harness = new EngineHarness();
      harness.runUntil(T0 + MINUTE);
      harness.decide({ decision: 'Abort' });
      harness.runFor(MINUTE);
      const name = harness.decide({ decision: 'Retry' });
      harness.crashNext = crash;
      harness.look();
      harness.sleepUntil(harness.now + SECOND);
      harness.runFor(MINUTE);
      assert.equal(outcomeOf(harness, name), 'Applied');
      assert.equal(harness.status.phase, 'Progressing');
      assert.equal(harness.status.history?.length, 1);
    });

    test(`when the process dies ${crash} of an abort`, () => {
      const harness = new EngineHarness();
      harness.runUntil(T0 + HOUR + MINUTE);
      const name = harness.decide({ decision: 'Abort' });
      harness.crashNext = crash;
      harness.look();
      harness.sleepUntil(harness.now + SECOND);
      harness.runFor(MINUTE);
      assert.equal(outcomeOf(harness, name), 'Applied');
      assert.equal(harness.status.phase, 'RolledBack');
    });
  }

  test('however many there have been: fifty are kept, and none is applied again', () => {
    const harness = new EngineHarness();
    harness.runUntil(T0 + MINUTE);
    for (let n = 0; n < 60; n += 1) {
      harness.decide({ decision: n % 2 === 0 ? 'Pause' : 'Resume', by: `p${n}` });
      harness.runFor(SECOND);
    }
    assert.equal(harness.status.decisions?.length, 50);
    assert.equal(harness.decisions.outcomes.size, 60);
    assert.equal(harness.told().filter((reason) => reason === 'DecisionApplied').length, 60);
  });

  test('however many wait for their outcome to be written: the rest wait, and an abort does not', () => {
    const harness = new EngineHarness();
    harness.losesOutcomes = true;
    harness.runUntil(T0 + HOUR + MINUTE);
    for (let n = 0; n < 60; n += 1) {
      harness.decide({ decision: n % 2 === 0 ? 'Pause' : 'Resume' });
      harness.runFor(SECOND);
    }
    assert.equal(harness.told().filter((reason) => reason === 'DecisionApplied').length, 49);
    harness.decide({ decision: 'Abort' });
    harness.runFor(SECOND);
    assert.equal(harness.weight(), 0);
    harness.losesOutcomes = false;
    harness.runFor(MINUTE);
    assert.equal(harness.decisions.outcomes.size, 61);
  });
});
