/** Requests by annotation: what each does, once, and what is refused with a sentence. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HOUR, MINUTE, SECOND, T0 } from '#test/builders.ts';
import { EngineHarness, type HarnessOptions } from '#test/engine-harness.ts';

/** At 50 %, half an hour before the next step. */
function harness(options: HarnessOptions = {}): EngineHarness {
  const run = new EngineHarness(options);
  run.runUntil(T0 + 90 * MINUTE);
  return run;
}

function ask(run: EngineHarness, text: string): void {
  run.annotate(text);
  run.runFor(SECOND);
}

const lastNote = (run: EngineHarness, reason: string) =>
  run.events.findLast((event) => event.reason === reason)?.note ?? '';

describe('a request', () => {
  test('pause holds the schedule, resume takes it back, and both are cleared', () => {
    const run = harness();
    ask(run, 'pause p1');
    assert.equal(run.request, undefined);
    assert.equal(run.status.phase, 'Paused');
    assert.equal(run.condition('Paused')?.status, 'True');
    assert.deepEqual(run.status.pausedBy, { by: 'annotation', since: '2026-11-22T13:30:00Z' });
    run.runUntil(T0 + 3 * HOUR);
    assert.equal(run.weight(), 50);
    ask(run, 'resume r1');
    assert.equal(run.status.pausedBy, undefined);
    run.runFor(MINUTE);
    assert.equal(run.weight(), 100);
  });

  test('promote ends the waiting of the current point and of no other', () => {
    const run = harness();
    ask(run, 'promote 1');
    assert.equal(run.weight(), 100);
    assert.equal(run.status.promotedPoint, undefined);
    run.runFor(HOUR);
    assert.equal(run.passedAt('end'), undefined);
  });

  test('promote ends no hold: it stands until the hold is gone', () => {
    const run = harness({
      world: {
        ready: (arm, now) =>
          arm === 'stable' && now > T0 + 80 * MINUTE && now < T0 + 100 * MINUTE ? 0 : 2,
      },
    });
    ask(run, 'promote 1');
    run.runUntil(T0 + 100 * MINUTE - SECOND);
    assert.equal(run.weight(), 50);
    run.runUntil(T0 + 101 * MINUTE);
    assert.equal(run.weight(), 100);
  });

  test('abort rolls back', () => {
    const run = harness();
    ask(run, 'abort 1');
    assert.equal(run.status.phase, 'RolledBack');
    assert.equal(run.weight(), 0);
    assert.equal(run.status.rollback?.reason, 'Aborted');
    assert.equal(run.status.rollback?.trigger, undefined);
    assert.match(run.status.rollback?.message ?? '', /aborted by request "abort 1"/);
    assert.equal(run.request, undefined);
  });

  test('abort is obeyed while paused and held', () => {
    const run = harness();
    ask(run, 'pause 1');
    run.world.skewMs = 60_000;
    ask(run, 'abort 2');
    assert.equal(run.weight(), 0);
  });

  test('retry starts an ended run again, as a run of its own', () => {
    const run = harness();
    ask(run, 'abort 1');
    const first = run.status.runId;
    ask(run, 'retry 2');
    assert.notEqual(run.status.runId, first);
    assert.equal(run.status.revision, 'v2');
    assert.equal(run.status.rollback, undefined);
    assert.equal(run.request, undefined);
    run.runFor(4 * HOUR);
    assert.equal(run.status.phase, 'Succeeded');
    assert.deepEqual(
      run.status.history?.map(({ outcome }) => outcome),
      ['Succeeded', 'RolledBack'],
    );
  });

  test('resume lifts a WouldServeOlderVersion for the rest of this run', () => {
    const run = new EngineHarness({ route: { weight: 100 } });
    run.runUntil(T0 + HOUR);
    assert.equal(run.status.phase, 'Held');
    assert.equal(run.status.holds?.[0]?.reason, 'WouldServeOlderVersion');
    assert.equal(run.weight(), 100);
    assert.deepEqual(run.writes, []);
    ask(run, 'resume 1');
    assert.equal(run.weight(), 0);
    assert.equal(run.status.step, 'dark');
  });

  test('resume lifts what another writer has lowered', () => {
    const run = harness();
    ask(run, 'pause 1');
    run.writeElsewhere(0);
    run.world.series = (query) => (query.includes('"new"') ? 'absent' : 0);
    run.runFor(5 * MINUTE);
    assert.equal(run.weight(), 0);
    assert.ok(run.status.holds?.some(({ reason }) => reason === 'LoweredByAnother'));
    ask(run, 'resume 2');
    run.runFor(MINUTE);
    assert.equal(run.weight(), 50);
  });
});

describe('a token', () => {
  test('is honoured once, also when the annotation comes back', () => {
    const run = harness();
    ask(run, 'pause same');
    ask(run, 'resume other');
    assert.equal(run.status.phase, 'Progressing');
    ask(run, 'resume other');
    assert.equal(run.told().filter((reason) => reason === 'RequestApplied').length, 2);
    assert.equal(run.request, undefined);
  });

  test('that cannot be cleared stops nothing, and is honoured by no later run', () => {
    const run = harness();
    const put = () => {
      run.request = 'abort once';
    };
    put();
    run.crashNext = 'beforeActions';
    run.look();
    put();
    // GitOps puts it back as often as it is taken away.
    for (let n = 0; n < 20; n += 1) {
      put();
      run.look();
    }
    assert.equal(run.status.phase, 'RolledBack');
    run.edit({ revision: 'v3' });
    for (let n = 0; n < 5 * 60; n += 1) {
      put();
      run.look();
      run.now += MINUTE;
    }
    assert.equal(run.status.revision, 'v3');
    assert.equal(run.status.phase, 'Succeeded');
  });

  test('of a request from before the first run is honoured by it', () => {
    const run = new EngineHarness();
    run.annotate('pause early');
    run.runUntil(T0 + 2 * HOUR);
    assert.equal(run.status.phase, 'Paused');
    assert.equal(run.weight(), 0);
  });

  test('of a retry is not honoured twice by the run it has started', () => {
    const run = harness();
    ask(run, 'abort 1');
    run.annotate('retry 2');
    run.crashNext = 'beforeActions';
    run.look();
    const { runId } = run.status;
    run.runFor(MINUTE);
    assert.equal(run.status.runId, runId);
    assert.ok(!run.told().includes('RequestRefused'));
  });
});

describe('a request that cannot be followed', () => {
  const refused: readonly {
    name: string;
    text: string;
    says: RegExp;
    before?: (run: EngineHarness) => void;
  }[] = [
    {
      name: 'an unknown verb',
      text: 'explode 1',
      says: /"explode 1" is not "<verb> <token>"; verbs are pause, resume/,
    },
    { name: 'a verb without a token', text: 'pause', says: /is not "<verb> <token>"/ },
    { name: 'too many words', text: 'pause 1 2', says: /is not "<verb> <token>"/ },
    { name: 'nothing at all', text: '', says: /is not "<verb> <token>"/ },
    { name: 'retry of a run under way', text: 'retry 1', says: /only an ended one can be retried/ },
    {
      name: 'resume where nothing holds',
      text: 'resume 1',
      says: /nothing that a person could lift/,
    },
    {
      name: 'resume of spec.paused',
      text: 'resume 1',
      says: /paused by spec.paused, which only an edit/,
      before: (run) => run.edit({ paused: true }),
    },
    {
      name: 'promote when every point is passed',
      text: 'promote 1',
      says: /every point of the plan has been passed/,
      before: (run) => {
        run.edit({ success: { thenMonitorFor: '10h' } });
        run.runFor(2 * HOUR);
      },
    },
    {
      name: 'pause of an ended run',
      text: 'pause 2',
      says: /has ended \(RolledBack\); only retry fits/,
      before: (run) => ask(run, 'abort 1'),
    },
  ];
  for (const { name, text, says, before } of refused) {
    test(`is refused with a sentence, once, and cleared: ${name}`, () => {
      const run = harness();
      before?.(run);
      run.runFor(SECOND);
      const { phase, step } = run.status;
      ask(run, text);
      assert.match(lastNote(run, 'RequestRefused'), says);
      assert.equal(run.request, undefined);
      // Put back, it is cleared without another word.
      ask(run, text);
      assert.equal(run.told().filter((reason) => reason === 'RequestRefused').length, 1);
      assert.equal(run.request, undefined);
      assert.deepEqual([run.status.phase, run.status.step], [phase, step]);
    });
  }

  test('never counts as an approval', () => {
    const run = new EngineHarness({
      spec: {
        schedule: {
          steps: [
            { name: 'half', at: '0h', weight: 50 },
            { name: 'full', at: '1h', weight: 100, approval: {} },
          ],
          end: '2h',
        },
      },
    });
    run.runUntil(T0 + 30 * MINUTE);
    ask(run, 'promote 1');
    run.runUntil(T0 + 5 * HOUR);
    assert.equal(run.weight(), 50);
    assert.equal(run.status.holds?.[0]?.reason, 'ApprovalRequired');
  });
});
