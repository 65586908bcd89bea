import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { describe, it } from 'node:test';
import { silentLogger } from '#ports/logger.ts';
import { VirtualClock } from '#test/kube/virtual-clock.ts';
import { closeInOrder, listenForTermination } from './shutdown.ts';

describe('the end of the process', () => {
  for (const name of ['SIGTERM', 'SIGINT']) {
    it(`begins with ${name}; a second signal means now`, () => {
      const source = new EventEmitter();
      let isForced = false;
      const termination = listenForTermination(source, () => {
        isForced = true;
      });
      assert.equal(termination.signal.aborted, false);
      source.emit(name);
      assert.match(String(termination.signal.reason), new RegExp(`stopped by ${name}`));
      assert.equal(isForced, false);
      source.emit('SIGINT');
      assert.equal(isForced, true);
      termination.dispose();
      assert.equal(source.listenerCount('SIGTERM') + source.listenerCount('SIGINT'), 0);
    });
  }

  it('closes in order, and goes on past what fails or hangs', async () => {
    const clock = new VirtualClock();
    const closed: string[] = [];
    let wasTold = false;
    const step = (name: string, close: (signal: AbortSignal) => Promise<void>) => ({
      name,
      limitMs: 1_000,
      close,
    });
    const done = closeInOrder(
      [
        step('queue', () => Promise.resolve(void closed.push('queue'))),
        step('broken', () => Promise.reject(new Error('no'))),
        step('hanging', (signal) => {
          signal.addEventListener('abort', () => {
            wasTold = true;
          });
          return new Promise(() => undefined);
        }),
        step('lease', () => Promise.resolve(void closed.push('lease'))),
      ],
      { clock, logger: silentLogger },
    );
    await clock.advance(1_000);
    assert.deepEqual(await done, ['broken', 'hanging']);
    assert.deepEqual(closed, ['queue', 'lease']);
    assert.equal(wasTold, true);
  });
});
