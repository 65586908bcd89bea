import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { processIdentity } from './process-identity.ts';

const here = (unique: string) => processIdentity({ podName: undefined, hostName: 'host', unique });

/** The same identity with another process number. */
function withPid(identity: string, pid: number): string {
  return identity.replace(/\.\d+\./, `.${pid}.`);
}

describe('the holder of a lease', () => {
  test('in the same pod is gone: a container starts only after the one before it', () => {
    const now = processIdentity({ podName: 'genesis-7f-x', hostName: 'n', unique: 'b' });
    assert.equal(now.isGone('genesis-7f-x_a'), true);
    assert.equal(now.isGone(now.identity), false);
  });

  test('in another pod may be alive, whatever its name begins with', () => {
    const now = processIdentity({ podName: 'genesis-7f-x', hostName: 'n', unique: 'b' });
    assert.equal(now.isGone('genesis-7f-y_a'), false);
    assert.equal(now.isGone('genesis-7f-x2_a'), false);
  });

  test('on this machine is not gone while its process runs', () => {
    const other = here('a').identity;
    assert.equal(here('b').isGone(other), false);
  });

  test('on this machine is gone once its process has been killed', async () => {
    const child = spawn('sleep', ['60']);
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
    assert.equal(here('b').isGone(withPid(here('a').identity, child.pid ?? 0)), true);
  });

  test('on this machine is gone when its number belongs to a later process', () => {
    const [name = '', place = '', unique = ''] = here('a').identity.split('_');
    const [where, pid] = place.split('.');
    assert.equal(here('b').isGone(`${name}_${where}.${pid}.1_${unique}`), true);
  });

  test('on another machine, after another boot or in another form is never known to be gone', () => {
    const now = here('b');
    for (const holder of ['host_00000000-1.1.1_a', 'host_a', '', 'x', 'host__', 'a_b.c_d']) {
      assert.equal(now.isGone(holder), false, holder);
    }
  });
});
