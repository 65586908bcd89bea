/** Canary had traffic and has lost it: what must be known before it gets some again. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  errorsTrigger,
  HOUR,
  MINUTE,
  rolloutSpec,
  SECOND,
  type SeriesValue,
  T0,
  type TriggerInput,
  threeSteps,
} from '#test/builders.ts';
import { EngineHarness, type HarnessOptions } from '#test/engine-harness.ts';

/** A service of which Prometheus knows as long as it has traffic. */
function harness(options: HarnessOptions = {}): EngineHarness {
  const run = new EngineHarness(options);
  speak(run, (isCanary) => (isCanary && run.weight() === 0 ? 'absent' : 0));
  return run;
}

function speak(run: EngineHarness, says: (isCanary: boolean, atMs: number) => SeriesValue): void {
  run.world.series = (query, atMs) => says(query.includes('"new"'), atMs);
}

const standing = (run: EngineHarness) => (run.status.holds ?? []).map(({ message }) => message);

describe('another writer has lowered canary and a person resumes', () => {
  function resumed(says: (run: EngineHarness) => (isCanary: boolean) => SeriesValue) {
    const run = harness();
    run.runUntil(T0 + 90 * MINUTE);
    run.annotate('pause 1');
    run.runFor(SECOND);
    run.writeElsewhere(0);
    speak(run, says(run));
    run.runFor(5 * MINUTE);
    assert.ok(run.status.holds?.some(({ reason }) => reason === 'LoweredByAnother'));
    run.annotate('resume 2');
    run.runFor(MINUTE);
    return run;
  }

  test('it rises where stable proves that a breach would be seen', () => {
    const run = resumed(() => (isCanary) => (isCanary ? 'absent' : 0));
    assert.equal(run.weight(), 50);
    assert.equal(run.status.trafficEndedAt, undefined);
  });

  test('it stays where stable says nothing either, until it does', () => {
    const run = resumed(() => () => 'absent');
    assert.equal(run.weight(), 0);
    assert.match(standing(run).join(), /errors: .*stable has no reading either/);
    speak(run, (isCanary) => (isCanary && run.weight() === 0 ? 'absent' : 0));
    run.runFor(MINUTE);
    assert.equal(run.weight(), 50);
  });

  test('the same moment is not judged by traffic that ended after it', () => {
    const run = harness();
    run.runUntil(T0 + 90 * MINUTE);
    run.annotate('pause 1');
    run.runFor(8 * SECOND);
    speak(run, (isCanary) => (isCanary ? 'absent' : 0));
    run.writeElsewhere(0);
    run.runFor(SECOND);
    run.annotate('resume 2');
    run.runUntil(T0 + 90 * MINUTE + 14 * SECOND);
    assert.equal(run.weight(), 0);
    run.runUntil(T0 + 91 * MINUTE);
    assert.equal(run.weight(), 50);
  });
});

describe('another writer sent traffic to a canary that was to have none yet', () => {
  /** From 59:58 on canary has everything; the operator comes at 60:02, when `half` is due, and takes it away. */
  function sent(stable: SeriesValue): EngineHarness {
    const run = harness();
    run.runUntil(T0 + 59 * MINUTE + 50 * SECOND);
    run.writeElsewhere(100);
    speak(run, (isCanary) => (isCanary ? 'absent' : stable));
    run.sleepUntil(T0 + 60 * MINUTE + 2 * SECOND);
    run.runFor(2 * SECOND);
    assert.equal(run.weight(), 0);
    return run;
  }

  test('its silence is not healed by taking it away again: the next reading counts', () => {
    const run = sent(0);
    run.runUntil(T0 + 60 * MINUTE + 10 * SECOND);
    assert.equal(run.weight(), 0);
    run.runFor(MINUTE);
    assert.equal(run.weight(), 50);
  });

  test('it does not rise by plan while nobody speaks', () => {
    const run = sent('absent');
    run.runFor(5 * MINUTE);
    assert.equal(run.weight(), 0);
    assert.match(standing(run).join(), /stable has no reading either/);
    speak(run, (isCanary) => (isCanary && run.weight() === 0 ? 'absent' : 0));
    run.runFor(MINUTE);
    assert.equal(run.weight(), 50);
  });
});

describe('what canary did with traffic that it was never to have', () => {
  const backAtMs = T0 + 59 * MINUTE + 50 * SECOND;

  /** Another writer has given it everything, it has failed for a while, and the operator comes and takes it away. */
  function failed(minutes: number, trigger: Partial<TriggerInput> = {}): EngineHarness {
    const run = harness({ spec: { triggers: [{ ...errorsTrigger, for: '4m', ...trigger }] } });
    run.runUntil(T0 + 45 * MINUTE);
    run.writeElsewhere(100);
    const fromMs = backAtMs - minutes * MINUTE;
    speak(run, (isCanary, atMs) => {
      if (isCanary && atMs > backAtMs) return 'absent';
      return isCanary && atMs >= fromMs ? 1 : 0;
    });
    run.sleepUntil(backAtMs);
    run.runFor(SECOND);
    assert.equal(run.weight(), 0);
    return run;
  }

  const cases: readonly (readonly [string, number, Partial<TriggerInput>, string])[] = [
    ['a breach that was Pending stays', 2, {}, 'Pending'],
    ['a hold of one that fires stays', 5, { onFiring: [{ action: 'Hold' }] }, 'Firing'],
  ];
  for (const [name, minutes, trigger, state] of cases) {
    test(`${name} until the silence is longer than \`for\``, () => {
      const run = failed(minutes, trigger);
      run.runUntil(T0 + 63 * MINUTE + 49 * SECOND);
      assert.equal(run.trigger()?.state, state);
      assert.equal(run.weight(), 0);
      assert.match(standing(run).join(), /^errors 100% > 0.5% .*since 12:5/);
      speak(run, (isCanary) => (isCanary && run.weight() === 0 ? 'absent' : 0));
      run.runFor(30 * SECOND);
      assert.equal(run.weight(), 50);
    });
  }
});

test('what another writer sends to canary lets no step be entered inside a freeze', () => {
  const freeze = [{ name: 'noon', cron: '30 12 * * *', timeZone: 'UTC', duration: '2h' }];
  const run = new EngineHarness({ spec: { schedule: { ...threeSteps, freeze } } });
  run.runUntil(T0 + 65 * MINUTE);
  run.writeElsewhere(100);
  run.runFor(MINUTE);
  assert.equal(run.status.step, 'dark');
  assert.equal(run.weight(), 0);
});

describe('of two routes one is left at 0', () => {
  const { traffic } = rolloutSpec();
  const spec = { traffic: { ...traffic, routes: ['web', 'admin'].map(route) } };
  function route(name: string) {
    return { kind: 'HTTPRoute', name };
  }
  const weightsOf = (run: EngineHarness) => [run.weight('web'), run.weight('admin')];
  const loseWritesTo = (run: EngineHarness, route: string): void => {
    run.world.write = ({ name }, { type }) =>
      name === route && type === 'SetWeight' ? 'lost' : 'done';
  };

  test('it does not follow while canary and stable are silent', () => {
    const run = harness({ spec });
    loseWritesTo(run, 'admin');
    run.runUntil(T0 + 61 * MINUTE);
    assert.deepEqual(weightsOf(run), [50, 0]);
    speak(run, () => 'absent');
    run.runFor(30 * SECOND);
    run.world.write = () => 'done';
    run.runFor(5 * MINUTE);
    assert.deepEqual(weightsOf(run), [50, 0]);
    speak(run, () => 0);
    run.runFor(MINUTE);
    assert.deepEqual(weightsOf(run), [50, 50]);
  });

  test('it follows when Prometheus is back, though the first route leads nobody to canary', () => {
    const run = harness({ spec });
    speak(run, (isCanary) => (isCanary && run.weight('admin') === 0 ? 'absent' : 0));
    loseWritesTo(run, 'admin');
    run.runUntil(T0 + 61 * MINUTE);
    run.world.fault = () => 'unreachable';
    run.runFor(5 * MINUTE);
    run.world.write = () => 'done';
    run.world.fault = () => undefined;
    run.runFor(MINUTE);
    assert.deepEqual(weightsOf(run), [50, 50]);
  });

  test('it does not follow while the first route had brought readings and brings none now', () => {
    const run = harness({ spec });
    loseWritesTo(run, 'admin');
    run.runUntil(T0 + 61 * MINUTE);
    run.world.fault = () => 'unreachable';
    run.runFor(MINUTE);
    run.world.fault = () => undefined;
    speak(run, (isCanary) => (isCanary ? 'absent' : 0));
    run.world.write = () => 'done';
    run.runFor(5 * MINUTE);
    assert.deepEqual(weightsOf(run), [50, 0]);
    speak(run, () => 0);
    run.runFor(MINUTE);
    assert.deepEqual(weightsOf(run), [50, 50]);
  });

  for (const { does, spokeFor, weights } of [
    { does: 'does not follow where the first route had brought', spokeFor: 5, weights: [50, 0] },
    { does: 'follows where the first route had not brought', spokeFor: 0, weights: [50, 50] },
  ]) {
    test(`it ${does} readings while nobody looked, and brings none now`, () => {
      const run = harness({ spec });
      loseWritesTo(run, 'admin');
      run.runUntil(T0 + HOUR - SECOND);
      const [firstMs, untilMs] = [T0 + HOUR + 5 * SECOND, T0 + HOUR + spokeFor * MINUTE];
      speak(run, (isCanary, atMs) =>
        isCanary && !(atMs >= firstMs && atMs < untilMs) ? 'absent' : 0,
      );
      run.runUntil(T0 + HOUR + 3 * SECOND);
      assert.deepEqual(weightsOf(run), [50, 0]);
      run.sleepUntil(T0 + HOUR + 10 * MINUTE);
      run.world.write = () => 'done';
      run.runFor(MINUTE);
      assert.deepEqual(weightsOf(run), weights);
    });
  }

  test('it follows though it alone had brought readings before another writer lowered it', () => {
    const run = harness({ spec });
    speak(run, (isCanary) => (isCanary && run.weight('admin') === 0 ? 'absent' : 0));
    run.runUntil(T0 + 119 * MINUTE);
    loseWritesTo(run, 'admin');
    run.runUntil(T0 + 2 * HOUR + MINUTE);
    assert.deepEqual(weightsOf(run), [100, 50]);
    run.writeElsewhere(0, 'admin');
    run.runFor(MINUTE);
    assert.equal(run.weight('admin'), 0);
    run.world.write = () => 'done';
    run.runFor(2 * MINUTE);
    assert.deepEqual(weightsOf(run), [100, 100]);
  });

  /** `admin` has been lowered by another writer; canary has spoken by `web` alone after it, and falls silent now. */
  function lowered(isSpeaking: boolean): EngineHarness {
    const run = harness({ spec });
    run.runUntil(T0 + 2 * HOUR - SECOND);
    loseWritesTo(run, 'admin');
    run.runUntil(T0 + 2 * HOUR + SECOND);
    run.writeElsewhere(0, 'admin');
    const spokeUntilMs = T0 + 2 * HOUR + (isSpeaking ? 10 * MINUTE : 0);
    speak(run, (isCanary, atMs) => (isCanary && atMs > spokeUntilMs ? 'absent' : 0));
    run.runUntil(T0 + 2 * HOUR + 12 * MINUTE);
    assert.deepEqual(weightsOf(run), [100, 0]);
    return run;
  }

  test('while a step is entered it does not follow where the other has spoken alone and says nothing now', () => {
    const run = lowered(true);
    assert.equal(run.trigger()?.state, 'Unknown');
    run.world.write = () => 'done';
    run.runFor(5 * MINUTE);
    assert.equal(run.weight('admin'), 0);
    speak(run, () => 0);
    run.runFor(MINUTE);
    assert.deepEqual(weightsOf(run), [100, 100]);
  });

  test('while a step is entered it follows where the other has said nothing alone', () => {
    const run = lowered(false);
    assert.equal(run.trigger()?.reason, 'NoTrafficExpected');
    run.world.write = () => 'done';
    run.runFor(MINUTE);
    assert.deepEqual(weightsOf(run), [100, 100]);
  });

  test('lowered one after the other, they are not judged by the moment between as one without traffic', () => {
    const run = harness({ spec });
    run.runUntil(T0 + 90 * MINUTE);
    run.annotate('pause 1');
    run.runFor(SECOND);
    run.writeElsewhere(0, 'admin');
    run.runFor(MINUTE + 7 * SECOND);
    speak(run, (isCanary) => (isCanary ? 'absent' : 0));
    run.writeElsewhere(0, 'web');
    run.runFor(SECOND);
    run.annotate('resume 2');
    run.runUntil(T0 + 91 * MINUTE + 14 * SECOND);
    assert.deepEqual(weightsOf(run), [0, 0]);
    run.runFor(MINUTE);
    assert.deepEqual(weightsOf(run), [50, 50]);
  });

  test('a run starts though the other leads somewhere before it: preflight asks stable', () => {
    const run = new EngineHarness({ spec });
    speak(run, (isCanary) => (isCanary ? 'absent' : 0));
    run.writeElsewhere(100, 'admin');
    run.runFor(5 * MINUTE);
    assert.notEqual(run.status.preflightPassedAt, undefined);
    assert.deepEqual(
      run.status.holds?.map(({ reason }) => reason),
      ['WouldServeOlderVersion'],
    );
  });
});
