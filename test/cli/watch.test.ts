/** `kubectl genesis watch` in a time of its own: what it shows, when it ends, and with which exit code. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Terminal } from '#cli/command.ts';
import type { Clock } from '#ports/clock.ts';
import { ClusterError, type KubeObject } from '#ports/cluster.ts';
import { pageWorlds } from './page-worlds.ts';
import { runCli } from './terminal.ts';

type Answer = KubeObject | ClusterError | undefined;

/** The answers one after the other, the last one for ever; time passes only while somebody sleeps. */
function serverOf(
  answers: readonly Answer[],
  startMs: number,
): Pick<Terminal, 'connect' | 'clock'> {
  let asked = 0;
  let nowMs = startMs;
  const clock: Clock = {
    now: () => nowMs,
    monotonic: () => nowMs,
    sleep: (delayMs, signal) => {
      nowMs += delayMs;
      return signal?.aborted === true ? Promise.reject(new Error('stopped')) : Promise.resolve();
    },
    after: () => () => undefined,
  };
  const get = (): Promise<KubeObject | undefined> => {
    const answer = answers[Math.min(asked, answers.length - 1)];
    asked += 1;
    return answer instanceof ClusterError ? Promise.reject(answer) : Promise.resolve(answer);
  };
  const no = () => Promise.reject(new Error('not in this test'));
  const client = {
    server: 'https://api.example',
    namespace: 'shop',
    get,
    list: no,
    create: no,
    whoAmI: no,
    forward: no,
    close: () => Promise.resolve(),
  };
  return { clock, connect: () => Promise.resolve(client) };
}

function worldOf(name: string): { readonly object: KubeObject; readonly nowMs: number } {
  const world = pageWorlds[name];
  assert.ok(world !== undefined);
  return world();
}

const moving = worldOf('moving');
const rolledBack = worldOf('rolled-back').object;
const succeeded = worldOf('succeeded').object;
const away = new ClusterError('unavailable', 'GET / failed: connect ECONNREFUSED');

function withGeneration(object: KubeObject, generation: number, spec: object = {}): KubeObject {
  const metadata = { ...object.metadata, generation };
  return { ...object, metadata, spec: { ...(object['spec'] as object), ...spec } };
}

function watch(answers: readonly Answer[], ...flags: readonly string[]) {
  return runCli(['watch', 'checkout', ...flags], serverOf(answers, moving.nowMs));
}

describe('watch', () => {
  test('tells each change once, and ends with the outcome', async () => {
    const pending = worldOf('pending').object;
    const answers = [moving.object, moving.object, pending, pending, rolledBack];
    const { code, out, err } = await watch(answers);
    assert.equal(code, 6);
    const lines = out.split('\n');
    assert.match(lines[0] ?? '', /^2026-11-02 15:00:00Z {2}phase Progressing: next is full/);
    assert.match(
      lines[1] ?? '',
      /^2026-11-02 15:00:02Z {2}trigger error-rate Pending: error-rate 2% > 0\.5%/,
    );
    assert.equal(lines.filter((line) => line.includes('error-rate Pending')).length, 1);
    assert.match(out, /15:00:04Z {2}phase RolledBack: rolled back/);
    assert.match(out, /15:00:04Z {2}weight 0%\n$/);
    assert.match(err, /^error: checkout is rolled back: /);
  });

  test('ends well when the run has succeeded', async () => {
    assert.equal((await watch([moving.object, succeeded])).code, 0);
  });

  test('ends where it was to end, and says so when it cannot any more', async () => {
    assert.equal((await watch([moving.object], '--until', 'progressing')).code, 0);
    const { code, err } = await watch([moving.object, succeeded], '--until', 'Held');
    assert.equal(code, 1);
    assert.match(err, /checkout has succeeded without being Held/);
  });

  test('takes no former run for the one that has just been asked for', async () => {
    const unseen = withGeneration(succeeded, 2, { revision: 'v3' });
    const status = { ...(succeeded['status'] as object), observedGeneration: 2 };
    const seen = { ...unseen, status };
    const next = { ...unseen, status: { ...status, revision: 'v3' } };
    const { code, err } = await watch([unseen], '--timeout', '30s');
    assert.equal(code, 5);
    assert.match(err, /checkout is not over after 30s: it is Succeeded/);
    assert.equal((await watch([seen], '--timeout', '30s')).code, 5);
    assert.equal((await watch([unseen, seen, next], '--timeout', '30s')).code, 0);
  });

  test('bears with an API server that is away for a while, and says so once', async () => {
    const short = await watch([moving.object, away, away, succeeded]);
    assert.deepEqual([short.code, short.err], [0, '']);
    const long = await watch([moving.object, ...Array.from({ length: 20 }, () => away), succeeded]);
    assert.equal(long.code, 0);
    assert.match(long.err, /^https:\/\/api\.example does not answer; asking again\n$/);
  });

  test('ends at once where the API server was never there, or forbids it', async () => {
    const { code, err } = await watch([away]);
    assert.equal(code, 1);
    assert.match(err, /nobody answers at https:\/\/api\.example/);
    const forbidden = new ClusterError('forbidden', 'GET / answered 403: no', { status: 403 });
    assert.equal((await watch([moving.object, forbidden])).code, 4);
  });

  test('ends when the rollout is gone', async () => {
    const { code, err } = await watch([moving.object, undefined]);
    assert.equal(code, 3);
    assert.match(err, /rollout checkout has been deleted/);
  });

  test('draws the page on a screen of its own, and leaves the last one behind', async () => {
    const server = serverOf([moving.object, moving.object, rolledBack], moving.nowMs);
    const overrides = { ...server, isTty: true, columns: 80, rows: 12 };
    const { code, out } = await runCli(['watch', 'checkout', '--no-color'], overrides);
    assert.equal(code, 6);
    const [before = '', drawn = ''] = out.split('\u001B[?1049h');
    assert.equal(before, '');
    const [screen = '', after = ''] = drawn.split('\u001B[?1049l');
    const frames = screen.split('\u001B[H').slice(1);
    assert.equal(frames.length, 3);
    for (const frame of frames) {
      assert.equal(frame.split('\n').length, 11);
      assert.match(frame, /more lines: `status` shows them\)/);
    }
    assert.match(after, /shop\/checkout [^]*\nRolledBack, canary 0%\n[^]*YOU CAN/);
  });
});
