/** From the words of a command line to the command that they call. */
import { version } from '#config/version.ts';
import { BadInput, type ExitCode, exitCodes, type Terminal } from './command.ts';

type Command = (args: readonly string[], terminal: Terminal) => Promise<ExitCode>;

/** Loaded when called, so that none costs the start of another. */
const commands: Readonly<Record<string, { readonly what: string; load: () => Promise<Command> }>> =
  {
    simulate: {
      what: 'Runs scenario files in virtual time and compares them with what they expect.',
      load: async () => (await import('./commands/simulate.ts')).simulateCommand,
    },
    backtest: {
      what: "Replays a rollout's triggers over the history of its stable Service.",
      load: async () => (await import('./commands/backtest.ts')).backtestCommand,
    },
  };

export async function runCommand(argv: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const [name, ...args] = argv;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    terminal.out(usage());
    return exitCodes.asExpected;
  }
  if (name === '--version' || name === 'version') {
    terminal.out(`${version}\n`);
    return exitCodes.asExpected;
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) {
    const known = Object.keys(commands).join(', ');
    terminal.err(`error: there is no command ${JSON.stringify(name)}; there are ${known}\n`);
    return exitCodes.badInput;
  }
  try {
    return await (await command.load())(args, terminal);
  } catch (error) {
    if (!(error instanceof BadInput)) throw error;
    for (const sentence of error.sentences) terminal.err(`error: ${sentence}\n`);
    return exitCodes.badInput;
  }
}

function usage(): string {
  const rows = Object.entries(commands).map(([name, { what }]) => `  ${name.padEnd(10)}  ${what}`);
  return `Usage: kubectl genesis COMMAND [flags]\n\nCommands:\n${rows.join('\n')}\n\nkubectl genesis COMMAND --help says more.\n`;
}
