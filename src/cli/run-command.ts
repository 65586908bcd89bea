/** From the words of a command line to the command that they call. */

import { version } from '#config/version.ts';
import { nearest } from '#runtime/nearest.ts';
import { type Command, type ExitCode, exitCodes, Failure, type Terminal } from './command.ts';
import type { VerbName } from './commands/decide.ts';
import { commandHelp, type ListedCommand, rootHelp } from './help.ts';

/** Loaded when called, so that none costs the start of another. */
export const commands: Readonly<Record<string, ListedCommand>> = {
  get: {
    what: 'Lists rollouts: phase, step, weight, what comes next.',
    load: async () => (await import('./commands/get.ts')).getCommand,
  },
  status: {
    what: 'One page about a rollout: where it is, why, and what happens next and when.',
    load: async () => (await import('./commands/status.ts')).statusCommand,
  },
  watch: {
    what: 'Follows a rollout until it is over, or until a phase; its exit code says how it went.',
    load: async () => (await import('./commands/watch.ts')).watchCommand,
  },
  approve: decision('approve', 'Approves a step.'),
  reject: decision('reject', 'Rejects a step.'),
  promote: decision('promote', 'Goes on with the next point of the plan now.'),
  pause: decision('pause', 'Holds the schedule.'),
  resume: decision('resume', 'Takes a pause back.'),
  abort: decision('abort', 'Rolls back.'),
  retry: decision('retry', 'Starts an ended run again.'),
  extend: decision('extend', 'Moves the end of the plan.'),
  acknowledge: decision('acknowledge', 'Says that somebody looks at a trigger.'),
  preflight: {
    what: 'Checks the metric chain of a rollout, link by link, from here.',
    load: async () => {
      const { preflightWith } = await import('./commands/preflight.ts');
      const { preflightTools } = await import('./preflight/tools.ts');
      return preflightWith(preflightTools);
    },
  },
  simulate: {
    what: 'Runs scenario files in virtual time and compares them with what they expect.',
    load: async () => (await import('./commands/simulate.ts')).simulateCommand,
  },
  backtest: {
    what: "Replays a rollout's triggers over the history of its stable Service.",
    load: async () => (await import('./commands/backtest.ts')).backtestCommand,
  },
  notify: {
    what: 'Sends a test message through a channel of the operator.',
    load: async () => (await import('./commands/notify.ts')).notifyCommand,
  },
  render: {
    what: 'Prints the alerts and dashboards that are made for a rollout.',
    load: async () => (await import('./commands/render.ts')).renderCommand,
  },
};

function decision(name: VerbName, what: string): ListedCommand {
  return { what, load: async () => (await import('./commands/decide.ts')).decideCommand(name) };
}

export async function runCommand(argv: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const [name, ...args] = commandFirst(argv);
  if (name === undefined || isHelp(name)) return await help(args[0], terminal);
  if (name === '--version' || name === 'version') {
    terminal.out(`${version}\n`);
    return exitCodes.asExpected;
  }
  if (name === '__complete') {
    const { complete } = await import('./commands/complete.ts');
    await complete(args, commands, terminal);
    return exitCodes.asExpected;
  }
  const listed = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (listed === undefined) return unknownCommand(name, terminal);
  const command = await listed.load();
  if (args.some(isHelp)) {
    terminal.out(commandHelp(name, listed.what, command.spec));
    return exitCodes.asExpected;
  }
  return await run(command, args, terminal);
}

async function run(
  command: Command,
  args: readonly string[],
  terminal: Terminal,
): Promise<ExitCode> {
  try {
    return await command.run(args, terminal);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    for (const sentence of error.sentences) terminal.err(`error: ${sentence}\n`);
    return error.exit;
  }
}

/** `-n shop get` is as good as `get -n shop`: kubectl allows both. */
function commandFirst(argv: readonly string[]): readonly string[] {
  const [first] = argv;
  if (first === undefined || !first.startsWith('-') || isHelp(first)) return argv;
  const at = argv.findIndex((word) => Object.hasOwn(commands, word));
  const name = argv[at];
  return name === undefined ? argv : [name, ...argv.slice(0, at), ...argv.slice(at + 1)];
}

function isHelp(word: string): boolean {
  return word === '--help' || word === '-h' || word === 'help';
}

async function help(about: string | undefined, terminal: Terminal): Promise<ExitCode> {
  const listed =
    about !== undefined && Object.hasOwn(commands, about) ? commands[about] : undefined;
  if (about === undefined || listed === undefined) terminal.out(rootHelp(commands));
  else terminal.out(commandHelp(about, listed.what, (await listed.load()).spec));
  return exitCodes.asExpected;
}

function unknownCommand(name: string, terminal: Terminal): ExitCode {
  const known = Object.keys(commands);
  const guess = nearest(name, known);
  const hint = guess === undefined ? `there are ${known.join(', ')}` : `did you mean ${guess}?`;
  terminal.err(`error: there is no command ${JSON.stringify(name)}; ${hint}\n`);
  return exitCodes.badInput;
}
