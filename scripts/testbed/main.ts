/** `npm run testbed`: a cluster for a person or a script to use. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { delimiter, dirname } from 'node:path';

import {
  type ClusterFlags,
  type Invocation,
  parseInvocation,
  UsageError,
  usage,
} from './arguments.ts';
import { toolPath } from './build.ts';
import { childEnvironment, searchPath } from './environment.ts';
import { isInNodeNamespace } from './namespace.ts';
import { again, againWithDoors, openDoors } from './node/inside.ts';
import { type Session, startSession } from './session.ts';
import { detachUp, readUp, stopUp, writeUp } from './up-state.ts';
import type { ToolName } from './versions.ts';

const endCommandWithinMs = 10_000;

async function main(args: readonly string[]): Promise<number> {
  try {
    return await carryOut(parseInvocation(args));
  } catch (error) {
    if (error instanceof Interrupted) return error.exitCode;
    const usageHint =
      error instanceof UsageError ? '\nRun `npm run testbed -- help` for all flags.' : '';
    console.error(`testbed: ${error instanceof Error ? error.message : String(error)}${usageHint}`);
    return error instanceof UsageError ? 2 : 1;
  }
}

async function carryOut(invocation: Invocation): Promise<number> {
  switch (invocation.type) {
    case 'help':
      return help();
    case 'build':
      return await build(invocation.tools);
    case 'up':
      return invocation.detach
        ? await detachUp(import.meta.filename, invocation.rest)
        : await up(invocation.cluster);
    case 'down':
      return await stopUp();
    case 'exec':
    default:
      return await exec(invocation.command, invocation.cluster);
  }
}

function help(): number {
  console.log(usage);
  return 0;
}

async function build(names: readonly ToolName[]): Promise<number> {
  const { signal } = onInterruption();
  for (const name of names) console.log(`${name}: ${await toolPath(name, { say, signal })}`);
  return 0;
}

async function up(flags: ClusterFlags): Promise<number> {
  const running = await readUp();
  if (running !== undefined) {
    throw new UsageError(
      `a testbed is up already (process ${running.pid}); stop it with \`npm run testbed -- down\``,
    );
  }
  const interruption = onInterruption();
  if (flags.node && !isInNodeNamespace()) return await upOutside(flags, interruption);
  const session = await startSession(flags, { say, signal: interruption.signal });
  try {
    const forget = await (flags.doors === undefined
      ? announce(session.exports)
      : openDoors(flags.doors, session));
    const why = await Promise.race([interruption.received, session.broken]);
    await forget();
    if (why instanceof Error) throw why;
    return exitCodeOf(why);
  } finally {
    await session.stop();
  }
}

/** It is this process that `down` finds: ids of processes inside mean nothing here. */
async function upOutside(flags: ClusterFlags, { signal }: Interruption): Promise<number> {
  let forget = async (): Promise<void> => undefined;
  try {
    return await againWithDoors(flags, { say, signal }, async (exports) => {
      forget = await announce(exports);
    });
  } finally {
    await forget();
  }
}

/** Resolves with what undoes it. */
async function announce(exports: string): Promise<() => Promise<void>> {
  const forget = await writeUp(exports);
  console.log(`\n${exports}\n\nCtrl-C or \`npm run testbed -- down\` stops it.`);
  return forget;
}

async function exec(command: readonly string[], flags: ClusterFlags): Promise<number> {
  const interruption = onInterruption();
  if (flags.node && !isInNodeNamespace()) {
    return await again(flags, { say, signal: interruption.signal });
  }
  const session = await startSession(flags, { say, signal: interruption.signal });
  try {
    return await runCommand(command, session, interruption);
  } finally {
    await session.stop();
  }
}

async function runCommand(
  command: readonly string[],
  session: Session,
  interruption: Interruption,
): Promise<number> {
  // If we are killed, the command is asked to end; it may have things of its own to stop.
  const child = spawn('setpriv', ['--pdeathsig', 'TERM', '--', ...command], {
    stdio: 'inherit',
    env: childEnvironment({
      ...session.variables,
      PATH: [...session.toolFiles.map((file) => dirname(file)), searchPath()].join(delimiter),
    }),
  });
  const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  const first = await Promise.race([ended, interruption.received]);
  if (typeof first === 'string') {
    // Ctrl-C on a terminal reaches the command by itself.
    if (first !== 'SIGINT' || !process.stdin.isTTY) child.kill(first);
    const kill = setTimeout(() => child.kill('SIGKILL'), endCommandWithinMs);
    await ended;
    clearTimeout(kill);
    return exitCodeOf(first);
  }
  const [code, signal] = first;
  return signal === null ? (code ?? 1) : exitCodeOf(signal);
}

interface Interruption {
  /** Aborts a start that is under way. */
  readonly signal: AbortSignal;
  readonly received: Promise<NodeJS.Signals>;
}

class Interrupted extends Error {
  readonly exitCode: number;

  constructor(signal: NodeJS.Signals) {
    super(`interrupted by ${signal}`);
    this.exitCode = exitCodeOf(signal);
  }
}

/** The first signal asks for an orderly end, the second ends at once; the kernel then stops all parts. */
function onInterruption(): Interruption {
  const controller = new AbortController();
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(exitCodeOf(name));
      controller.abort(new Interrupted(name));
      resolve(name);
    });
  }
  return { signal: controller.signal, received: promise };
}

function exitCodeOf(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}

/** On standard error, so that the output of `exec CMD` is that of CMD. */
function say(sentence: string): void {
  console.error(`testbed: ${sentence}`);
}

process.exitCode = await main(process.argv.slice(2));
