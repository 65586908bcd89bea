/** Remembers which process runs `testbed up`, so that `down` finds it and a second `up` is refused. */
import { spawn } from 'node:child_process';
import { mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { stateFolder } from './environment.ts';
import { startedTicks } from './process-table.ts';

interface UpState {
  readonly pid: number;
  readonly startedTicks: string;
  readonly exports: string;
}

const stopWithinMs = 20_000;
const pollEveryMs = 50;

const stateFile = () => join(stateFolder(), 'up.json');
const logFile = () => join(stateFolder(), 'up.log');

/** The testbed that is up, if any. */
export async function readUp(): Promise<UpState | undefined> {
  const text = await readFile(stateFile(), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const state = JSON.parse(text) as UpState;
  return (await startedTicks(state.pid)) === state.startedTicks ? state : undefined;
}

/** Resolves with what forgets it. */
export async function writeUp(exports: string): Promise<() => Promise<void>> {
  const state: UpState = {
    pid: process.pid,
    startedTicks: (await startedTicks(process.pid)) ?? '',
    exports,
  };
  await mkdir(dirname(stateFile()), { recursive: true });
  const partial = `${stateFile()}.${process.pid}`;
  await writeFile(partial, JSON.stringify(state), { mode: 0o600 });
  await rename(partial, stateFile());
  return async () => await rm(stateFile(), { force: true });
}

/** Runs `up` in the background and resolves when it is ready. */
export async function detachUp(script: string, args: readonly string[]): Promise<number> {
  const running = await readUp();
  if (running !== undefined) {
    console.log(`# A testbed is up already (process ${running.pid}).\n${running.exports}`);
    return 0;
  }
  await mkdir(stateFolder(), { recursive: true });
  const log = await open(logFile(), 'w');
  const child = spawn(process.execPath, [script, 'up', ...args], {
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
  });
  child.unref();
  await log.close();
  for (;;) {
    const state = await readUp();
    if (state?.pid === child.pid) {
      console.log(`${state?.exports ?? ''}\n# \`npm run testbed -- down\` stops it.`);
      return 0;
    }
    if (child.exitCode !== null || child.signalCode !== null) {
      console.error((await readFile(logFile(), 'utf8')).trimEnd());
      return child.exitCode ?? 1;
    }
    await sleep(pollEveryMs);
  }
}

export async function stopUp(): Promise<number> {
  const state = await readUp();
  if (state === undefined) {
    console.log('No testbed is up.');
    return 0;
  }
  process.kill(state.pid, 'SIGTERM');
  const deadline = performance.now() + stopWithinMs;
  while ((await startedTicks(state.pid)) === state.startedTicks) {
    if (performance.now() > deadline) process.kill(state.pid, 'SIGKILL');
    await sleep(pollEveryMs);
  }
  console.log('Stopped.');
  return 0;
}
