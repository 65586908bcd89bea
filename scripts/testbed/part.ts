/**
 * One part of the testbed: a child process with a log file and a readiness check.
 * The kernel kills it when this process ends in whatever way, `kill -9` included (PR_SET_PDEATHSIG through `setpriv`).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { lastLines } from './command.ts';
import { childEnvironment } from './environment.ts';
import { freePorts } from './ports.ts';

export interface PartOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Where its log goes, as `<name>.log`; a restart appends. */
  readonly runFolder: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** Resolves to true once the part answers on its own health endpoint. Asked every 50 ms. */
  readonly isReady?: (signal: AbortSignal) => Promise<boolean>;
  readonly readyWithinMs?: number;
  /** What a person can do if it does not come up. */
  readonly hint?: string;
  readonly signal?: AbortSignal;
}

export interface Part {
  readonly name: string;
  readonly pid: number;
  readonly logPath: string;
  /** Resolves when it has ended, with its exit code, or null after a signal. */
  readonly ended: Promise<number | null>;
  readonly isRunning: () => boolean;
  /** Asks it to end, kills it after a while, and resolves when it has ended. May be called again. */
  stop(options?: StopOptions): Promise<void>;
}

export interface StopOptions {
  readonly signal?: NodeJS.Signals;
  readonly killAfterMs?: number;
}

const readyWithinMsDefault = 30_000;
const pollEveryMs = 50;
const killAfterMsDefault = 5_000;
const logLinesShown = 15;

/** Starts a part and resolves when it is ready; a part that is not ready in time is stopped and its last lines are in the error. */
export async function startPart(options: PartOptions): Promise<Part> {
  const part = await spawnPart(options);
  try {
    await waitUntilReady(part, options);
    return part;
  } catch (error) {
    await part.stop({ killAfterMs: 500 });
    throw error;
  }
}

async function spawnPart(options: PartOptions): Promise<Part> {
  const logPath = join(options.runFolder, `${options.name}.log`);
  const log = await open(logPath, 'a');
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', options.command, ...options.args], {
    stdio: ['ignore', log.fd, log.fd],
    env: childEnvironment(options.env ?? {}),
    // Its own session: Ctrl-C must reach us alone, since we stop the parts in the right order.
    detached: true,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  const started = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<number | null>();
  child.once('spawn', started.resolve);
  child.once('error', (error) => {
    started.reject(
      new Error(`cannot start ${options.name}: the testbed needs \`setpriv\` (util-linux)`, {
        cause: error,
      }),
    );
  });
  child.once('exit', (code) => ended.resolve(code));
  try {
    await started.promise;
  } finally {
    await log.close();
  }
  // A part alone must not keep a finished test file alive; the kernel ends it with us.
  child.unref();
  return {
    name: options.name,
    pid: pidOf(child),
    logPath,
    ended: ended.promise,
    isRunning: () => child.exitCode === null && child.signalCode === null,
    stop: async (stop) => await stopChild(child, ended.promise, stop ?? {}),
  };
}

function pidOf(child: ChildProcess): number {
  if (child.pid === undefined) throw new Error('a started process has a pid');
  return child.pid;
}

async function stopChild(
  child: ChildProcess,
  ended: Promise<number | null>,
  options: StopOptions,
): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.ref();
  child.kill(options.signal ?? 'SIGTERM');
  const kill = setTimeout(() => child.kill('SIGKILL'), options.killAfterMs ?? killAfterMsDefault);
  await ended;
  clearTimeout(kill);
}

async function waitUntilReady(part: Part, options: PartOptions): Promise<void> {
  if (options.isReady === undefined) return;
  const withinMs = options.readyWithinMs ?? readyWithinMsDefault;
  const deadline = AbortSignal.timeout(withinMs);
  const signal =
    options.signal === undefined ? deadline : AbortSignal.any([deadline, options.signal]);
  while (!(await options.isReady(signal).catch(() => false))) {
    options.signal?.throwIfAborted();
    if (!part.isRunning())
      throw await failure(part, `ended with ${await part.ended} before it was ready`, options.hint);
    if (deadline.aborted)
      throw await failure(part, `was not ready within ${withinMs / 1000} s`, options.hint);
    await sleep(pollEveryMs);
  }
}

async function failure(part: Part, what: string, hint: string | undefined): Promise<PartError> {
  const log = await readFile(part.logPath, 'utf8').catch(() => '');
  const tail = lastLines(log, logLinesShown);
  const next = hint === undefined ? '' : `\n${hint}`;
  return new PartError(
    `${part.name} ${what}. Its last lines (all in ${part.logPath}):\n${tail}${next}`,
    log,
  );
}

class PartError extends Error {
  override readonly name = 'PartError';
  readonly log: string;

  constructor(message: string, log: string) {
    super(message);
    this.log = log;
  }
}

/** Starts again with other ports if a port was taken between looking and binding. */
export async function withFreePorts<T>(
  count: number,
  start: (ports: readonly number[]) => Promise<T>,
): Promise<T> {
  const triesMax = 3;
  for (let attempt = 1; ; attempt += 1) {
    const ports = await freePorts(count);
    try {
      return await start(ports);
    } catch (error) {
      const taken = error instanceof PartError && /address already in use/i.test(error.log);
      if (!taken || attempt === triesMax) throw error;
    }
  }
}
