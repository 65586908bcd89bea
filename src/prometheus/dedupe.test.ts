import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Clock } from '#ports/clock.ts';
import { createDedupe, type DedupeOptions } from './dedupe.ts';

const forever = new AbortController().signal;

/** A dedupe over strings, on a clock that the test moves. */
function setUp(options: Partial<DedupeOptions<string>> = {}) {
  const time = { now: 0 };
  const clock: Clock = {
    now: () => time.now,
    monotonic: () => time.now,
    sleep: () => Promise.reject(new Error('not used here')),
    after: () => () => undefined,
  };
  const counts = { started: 0, shared: 0 };
  const dedupe = createDedupe<string>({
    clock,
    entriesMax: 3,
    sizeMax: 10,
    size: () => 1,
    keepMs: () => 100,
    onShared: () => {
      counts.shared += 1;
    },
    ...options,
  });
  const ask = (key: string, answer: string | Promise<string> = key, signal = forever) =>
    dedupe.ask(key, {
      signal,
      left: () => 'left',
      start: async () => {
        counts.started += 1;
        return answer;
      },
    });
  return { time, counts, dedupe, ask };
}

describe('the same question', () => {
  test('asked at once is sent once', async () => {
    const { ask, counts } = setUp();
    const answers = await Promise.all([ask('a'), ask('a'), ask('a'), ask('b')]);
    assert.deepEqual(answers, ['a', 'a', 'a', 'b']);
    assert.deepEqual(counts, { started: 2, shared: 2 });
  });

  test('asked again while its answer is kept is not sent', async () => {
    const { ask, time, counts } = setUp();
    await ask('a', 'first');
    time.now = 99;
    assert.equal(await ask('a', 'second'), 'first');
    assert.deepEqual(counts, { started: 1, shared: 1 });
  });

  test('asked after that is sent again', async () => {
    const { ask, time, counts } = setUp();
    await ask('a', 'first');
    time.now = 100;
    assert.equal(await ask('a', 'second'), 'second');
    assert.deepEqual(counts, { started: 2, shared: 0 });
  });

  test('whose answer is not to be kept is sent again', async () => {
    const { ask } = setUp({ keepMs: (answer) => (answer === 'error' ? 0 : 100) });
    await ask('a', 'error');
    assert.equal(await ask('a', 'good'), 'good');
  });
});

describe('memory', () => {
  test('of more answers than entriesMax the oldest is forgotten', async () => {
    const { ask, counts } = setUp();
    for (const key of ['a', 'b', 'c', 'd']) await ask(key);
    counts.started = 0;
    for (const key of ['b', 'c', 'd', 'a']) await ask(key);
    assert.equal(counts.started, 1);
  });

  test('the sizes of kept answers stay within sizeMax', async () => {
    const { ask, counts } = setUp({ size: (answer) => answer.length });
    await ask('a', '12345');
    await ask('b', '123456');
    counts.started = 0;
    await ask('b');
    await ask('a');
    assert.equal(counts.started, 1);
  });

  test('an answer larger than sizeMax is given and not kept', async () => {
    const { ask, counts } = setUp({ size: (answer) => answer.length });
    await ask('a', 'x'.repeat(11));
    await ask('b');
    counts.started = 0;
    await ask('a');
    await ask('b');
    assert.equal(counts.started, 1);
  });
});

describe('askers who leave', () => {
  test('one leaves, the other gets the answer', async () => {
    const { ask, counts } = setUp();
    const given = Promise.withResolvers<string>();
    const stop = new AbortController();
    const first = ask('a', given.promise, stop.signal);
    const second = ask('a');
    stop.abort();
    assert.equal(await first, 'left');
    given.resolve('answer');
    assert.equal(await second, 'answer');
    assert.equal(counts.started, 1);
  });

  test('when the last has left the request is stopped, its late answer is dropped, and a new asker sends anew', async () => {
    const { ask, dedupe, counts } = setUp();
    const given = Promise.withResolvers<string>();
    const stop = new AbortController();
    let stopped: AbortSignal | undefined;
    const first = dedupe.ask('a', {
      signal: stop.signal,
      left: () => 'left',
      start: (signal) => {
        stopped = signal;
        return given.promise;
      },
    });
    stop.abort();
    assert.equal(await first, 'left');
    assert.equal(stopped?.aborted, true);
    const second = ask('a', 'new');
    given.resolve('late');
    assert.equal(await second, 'new');
    assert.equal(await ask('a', 'newest'), 'new');
    assert.equal(counts.started, 1);
  });
});
