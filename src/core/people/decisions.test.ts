/** What people decide, in scenarios: what is refused, what follows, and that each decision is applied once. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { DecisionSpec } from '#api/decision.ts';
import { approve, messageOf, outcomeOf, withApproval } from '#test/approvals.ts';
import { HOUR, MINUTE, SECOND, T0 } from '#test/builders.ts';
import { type Crash, EngineHarness } from '#test/engine-harness.ts';

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
      applyInSpiteOf(crash, harness, approve);
      assert.equal(harness.status.decisions?.length, 1);
      assert.equal(harness.weight(), 50);
    });

    test(`when the process dies ${crash} of a retry`, () => {
      const harness = new EngineHarness();
      harness.runUntil(T0 + MINUTE);
      harness.decide({ decision: 'Abort' });
      harness.runFor(MINUTE);
      applyInSpiteOf(crash, harness, { decision: 'Retry' });
      assert.equal(harness.status.phase, 'Progressing');
      assert.equal(harness.status.history?.length, 1);
    });

    test(`when the process dies ${crash} of an abort`, () => {
      const harness = new EngineHarness();
      harness.runUntil(T0 + HOUR + MINUTE);
      applyInSpiteOf(crash, harness, { decision: 'Abort' });
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

/** The look that finds the decision dies; another process looks a second later. */
function applyInSpiteOf(
  crash: Crash,
  harness: EngineHarness,
  decision: Parameters<EngineHarness['decide']>[0],
): void {
  const name = harness.decide(decision);
  harness.crashNext = crash;
  harness.look();
  harness.sleepUntil(harness.now + SECOND);
  harness.runFor(MINUTE);
  assert.equal(outcomeOf(harness, name), 'Applied');
}
