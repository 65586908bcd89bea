/** When the last look's decision stands, and that anything but a figure makes the engine think for itself. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RolloutSpecInput } from '#api/rollout.ts';
import {
  ERRORS,
  errorsTrigger,
  HOUR,
  halfForTenHours,
  MINUTE,
  namespace,
  resolved,
  rolloutName,
  rolloutSpec,
  sequentialTrigger,
  T0,
} from '#test/builders.ts';
import { EngineHarness } from '#test/engine-harness.ts';
import { type Answer, questionKey } from './answer.ts';
import { decide, openQuestions } from './decide.ts';
import type { Snapshot } from './snapshot.ts';
import { again, standingOf } from './standing.ts';

const NOW = T0 + HOUR + 30_000;
const windowed = `max_over_time(${ERRORS}[$(window)])`;
const newest = { type: 'instant', query: 'errors{service="new"}' } as const;

/** A look in the middle of a bake, ten looks after anything has happened, with every answer there. */
function quietLook(spec: Partial<RolloutSpecInput> = {}): Snapshot {
  const harness = new EngineHarness({ spec: { schedule: halfForTenHours, ...spec } });
  harness.runUntil(NOW);
  return harness.observe();
}

/** The same with an Info trigger that has fired long ago. */
function firingInfo(): EngineHarness {
  const info = { ...errorsTrigger, severity: 'Info', for: '0s' } as const;
  const harness = new EngineHarness({
    spec: { schedule: halfForTenHours, triggers: [info] },
    world: { series: () => 0.02 },
  });
  harness.runUntil(NOW);
  return harness;
}

function withAnswers(snapshot: Snapshot, change: (answer: Answer) => Answer): Snapshot {
  const answers = [...snapshot.answers].map(([key, answer]) => [key, change(answer)] as const);
  return { ...snapshot, answers: new Map(answers) };
}

function saying(snapshot: Snapshot, value: number): Snapshot {
  return withAnswers(snapshot, (answer) =>
    answer.type === 'samples'
      ? { ...answer, samples: answer.samples.map((sample) => ({ ...sample, value })) }
      : answer,
  );
}

describe('a decision stands', () => {
  test('while nothing but a figure has changed, and the figure is shown', () => {
    const found = again(saying(quietLook(), 0.004));
    assert.equal(found.type, 'stands');
    assert.ok(found.type === 'stands');
    assert.equal(found.decision.rule, 'advance');
    assert.equal(found.decision.wakeAtMs, T0 + HOUR + 45_000);
    assert.equal(found.decision.slackMs, 1000);
    const errors = found.decision.triggers.find(({ trigger }) => trigger.name === 'errors');
    assert.deepEqual(errors?.reading, { type: 'value', value: 0.004 });
  });

  test('after the newest reading of each trigger has been asked, and nothing else', () => {
    const snapshot = { ...quietLook(), answers: new Map() };
    const questions = openQuestions(snapshot);
    assert.deepEqual(questions, [
      { type: 'instant', query: 'errors{service="new"}', atMs: T0 + HOUR + 30_000 },
    ]);
    assert.deepEqual(questions, openQuestions({ ...snapshot, last: undefined }));
  });

  test('of an Info trigger that fires, too: what it says is told already', () => {
    const harness = firingInfo();
    assert.equal(harness.trigger()?.state, 'Firing');
    assert.equal(again(harness.observe()).type, 'stands');
    assert.equal(again(saying(harness.observe(), 0)).type, 'changed');
  });

  test('only of a trigger whose reading says what its state does', () => {
    const snapshot = firingInfo().observe();
    const decision = decide(snapshot);
    assert.ok(standingOf(snapshot, decision) !== undefined);
    // As after a clock that has stepped back: the reading is older than the one that it fires by.
    const reading = { type: 'value', value: 0 } as const;
    const triggers = decision.triggers.map((one) => ({ ...one, reading }));
    assert.equal(standingOf(saying(snapshot, 0), { ...decision, triggers }), undefined);
  });

  test('while the run is held or paused', () => {
    assert.equal(again(quietLook({ paused: true })).type, 'stands');
  });
});

type Change = (snapshot: Snapshot) => Snapshot;

const edited = resolved(rolloutSpec({ revision: 'v3' }));

const changes: readonly (readonly [name: string, change: Change])[] = [
  ['a figure is a breach', (one) => saying(one, 0.02)],
  ['a figure is no number', (one) => saying(one, Number.NaN)],
  ['a series is gone', (one) => withAnswers(one, noSamples)],
  ['Prometheus does not answer', (one) => withAnswers(one, () => failure)],
  ['the clock of Prometheus is off', (one) => withAnswers(one, skewed)],
  ['a moment has come', (one) => ({ ...one, now: T0 + 10 * HOUR })],
  ['our clock has stepped back', (one) => ({ ...one, now: T0 + 50 * MINUTE })],
  ['the object', (one) => ({ ...one, object: { ...one.object, request: 'retry 1' } })],
  ['the spec as it is now', (one) => ({ ...one, wanted: edited })],
  ['the spec of the run', (one) => ({ ...one, recorded: undefined })],
  ['the status', (one) => ({ ...one, status: { ...one.status } })],
  ['a route', (one) => ({ ...one, routes: [] })],
  ['a restart', (one) => ({ ...one, restarts: [{ workload, reading: { type: 'unknown' } }] })],
  ['the Ready endpoints', (one) => ({ ...one, ready: { stable: 2, canary: 1 } })],
  ['a rival', (one) => ({ ...one, conflict: 'other' })],
  ['a suite', (one) => ({ ...one, suites: new Map([['smoke', { runs: [] }]]) })],
  ['a Job', (one) => ({ ...one, jobs: new Map([['hook', { type: 'running' }]]) })],
  ['a decision of a person', (one) => ({ ...one, decisions: [pause] })],
  ['the policy for decisions', (one) => ({ ...one, decisionPolicy: unproved })],
  ['what is kept', (one) => ({ ...one, evidence: undefined })],
  ['the metric chain', (one) => ({ ...one, chain: { type: 'unknown', sinceMs: 1 } })],
];

const failure: Answer = { type: 'error', fault: 'unreachable', message: 'no route to host' };
const unproved = { type: 'notEnforced', message: 'it is gone' } as const;
const workload = { kind: 'Deployment', namespace, name: 'agent', flag: 'f' } as const;
const pause: Snapshot['decisions'][number] = {
  name: 'pause',
  uid: 'u-2',
  createdAtMs: NOW,
  spec: { rollout: rolloutName, revision: 'v2', decision: 'Pause', by: 'alice' },
  isSettled: false,
};

function noSamples(answer: Answer): Answer {
  return answer.type === 'samples' ? { ...answer, samples: [] } : answer;
}

function skewed(answer: Answer): Answer {
  return answer.type === 'error' ? answer : { ...answer, skewMs: 11_000 };
}

describe('the engine thinks for itself where there is another', () => {
  for (const [name, change] of changes) {
    test(name, () => {
      const snapshot = quietLook();
      assert.equal(again(snapshot).type, 'stands', 'before the change');
      assert.equal(again(change(snapshot)).type, 'changed');
    });
  }

  test('freeze window', () => {
    const freeze = { name: 'noon', cron: '5 13 * * *', duration: '1h', timeZone: 'UTC' };
    const snapshot = quietLook({ schedule: { ...halfForTenHours, freeze: [freeze] } });
    assert.equal(again(snapshot).type, 'stands', 'before it opens');
    const opened = { ...snapshot, now: T0 + HOUR + 5 * MINUTE };
    assert.equal(again({ ...opened, answers: new Map() }).type, 'changed');
  });
});

describe('nothing stands', () => {
  const specs: readonly (readonly [string, Partial<RolloutSpecInput>])[] = [
    ['while a trigger is pending', { triggers: [{ ...errorsTrigger, condition: '> -1' }] }],
    ['with a judge that gathers evidence', { triggers: [sequentialTrigger] }],
    ['where a query has the time in it', { triggers: [{ ...errorsTrigger, query: windowed }] }],
  ];
  for (const [name, spec] of specs) {
    test(name, () => {
      const snapshot = quietLook(spec);
      assert.equal(snapshot.status.triggers?.length, 2, 'the run is watched');
      assert.equal(snapshot.last, undefined);
    });
  }

  test('of what a process before this one has decided', () => {
    const harness = new EngineHarness({ spec: { schedule: halfForTenHours } });
    harness.runUntil(NOW);
    harness.restart();
    assert.equal(harness.observe().last, undefined);
    assert.ok(harness.observe().answers.has(questionKey({ ...newest, atMs: NOW })));
  });
});
