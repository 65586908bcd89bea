/** `npm run demo`: the main job of the product, on this machine or on a cluster of one's own. */
import { constants } from 'node:os';

import { openOuterDoors } from '#scripts/testbed/doors.ts';
import { createRunFolder, isInNamespace, runInNamespace } from '#scripts/testbed/index.ts';
import { type DemoFlags, parseInvocation, UsageError, usage } from './arguments.ts';
import { buildController } from './controller.ts';
import { runDemo } from './demo.ts';
import { createExistingWorld } from './existing-world.ts';
import { createLocalWorld } from './local-world.ts';
import { paintFor } from './paint.ts';
import { planDemo } from './plan.ts';
import { prepareLocal } from './prepare.ts';
import { createScreen } from './screen.ts';

/** The demo's only look at the environment; see no-color.org. */
const noColor = process.env['NO_COLOR'];

async function main(args: readonly string[]): Promise<number> {
  const interruption = onInterruption();
  try {
    const invocation = parseInvocation(args);
    if (invocation.type === 'help') {
      console.log(usage);
      return 0;
    }
    const { flags } = invocation;
    if (flags.existing !== undefined) {
      await buildController(interruption);
      return await perform(flags, interruption);
    }
    return await (isInNamespace() ? perform : performInside)(flags, interruption);
  } catch (error) {
    if (interruption.aborted) {
      console.error('demo: interrupted; everything it started is stopped');
      return interruptedCode(interruption);
    }
    return explain(error);
  }
}

/** Runs this program again inside a network namespace, with everything built that it will need there. */
async function performInside({ keep }: DemoFlags, signal: AbortSignal): Promise<number> {
  await prepareLocal({ say, signal });
  const again = [process.execPath, ...process.argv.slice(1)];
  if (!keep) return await runInNamespace(again);
  const doors = await openOuterDoors();
  try {
    return await runInNamespace([...again, '--doors', doors.folder]);
  } finally {
    await doors.close();
  }
}

async function perform(flags: DemoFlags, signal: AbortSignal): Promise<number> {
  const folder = await createRunFolder();
  const paint = paintFor(process.stdout, noColor);
  const screen = createScreen(process.stdout, paint);
  const { existing, isShort, runs, json, keep, doors } = flags;
  const tell = (sentence: string) => screen.say(sentence);
  const plan = planDemo({ isShort, scrapeIntervalMs: existing?.scrapeIntervalMs ?? 1_000 });
  const createWorld = async () =>
    existing === undefined
      ? await createLocalWorld({ folder: folder.path, doors, say: tell, signal })
      : await createExistingWorld({ cluster: existing, say: tell, signal });
  try {
    const passed = await runDemo({
      plan,
      folder,
      screen,
      paint,
      signal,
      runs,
      json,
      keep,
      createWorld,
    });
    return passed ? 0 : 1;
  } finally {
    await folder.remove();
  }
}

function explain(error: unknown): number {
  const isMistake = error instanceof UsageError;
  const hint = isMistake ? '\nRun `npm run demo -- --help` for all flags.' : '';
  console.error(`demo: ${error instanceof Error ? error.message : String(error)}${hint}`);
  return isMistake ? 2 : 1;
}

class Interrupted extends Error {
  readonly exitCode: number;

  constructor(signal: NodeJS.Signals) {
    super(`interrupted by ${signal}`);
    this.exitCode = 128 + constants.signals[signal];
  }
}

/** The first signal asks for an orderly end, the second ends at once; the kernel then stops all parts. */
function onInterruption(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      const why = new Interrupted(name);
      if (controller.signal.aborted) process.exit(why.exitCode);
      controller.abort(why);
    });
  }
  return controller.signal;
}

function interruptedCode(signal: AbortSignal): number {
  return signal.reason instanceof Interrupted ? signal.reason.exitCode : 1;
}

function say(sentence: string): void {
  console.log(sentence);
}

process.exitCode = await main(process.argv.slice(2));
