/** What `--help` prints, from the same tables that docs/reference/cli.md is made of. */
import {
  type Command,
  type CommandSpec,
  exitCodes,
  exitMeanings,
  type Flag,
  type FlagTable,
} from './command.ts';
import { kubeFlags } from './kube-flags.ts';

export interface ListedCommand {
  /** One sentence. */
  readonly what: string;
  readonly load: () => Promise<Command>;
}

export const program = 'kubectl genesis';

export function rootHelp(commands: Readonly<Record<string, ListedCommand>>): string {
  const rows = Object.entries(commands).map(([name, { what }]) => `  ${name.padEnd(12)}${what}`);
  return `Usage: ${program} COMMAND [flags]\n\nCommands:\n${rows.join('\n')}\n\n${program} COMMAND --help says more.\n`;
}

export function commandHelp(name: string, what: string, spec: CommandSpec): string {
  const { operands, about, flags, examples, isOnline, exits } = spec;
  const own = { ...flags, help: { type: 'boolean', short: 'h', what: 'prints this' } } as const;
  const parts = [
    `Usage: ${program} ${name} ${operands}`,
    [what, ...about].join('\n'),
    ...(examples.length === 0 ? [] : [`Examples:\n${exampleRows(examples)}`]),
    `Flags:\n${flagRows(withoutKube(own))}`,
    ...(isOnline ? [`kubectl's own flags:\n${flagRows(kubeFlags)}`] : []),
    `Exit codes:\n${exits.map((exit) => `  ${exitCodes[exit]}  ${exitMeanings[exit]}`).join('\n')}`,
  ];
  return `${parts.join('\n\n')}\n`;
}

/** Those that only this command has. */
export function withoutKube(flags: FlagTable): FlagTable {
  return Object.fromEntries(
    Object.entries(flags).filter(([name]) => !Object.hasOwn(kubeFlags, name)),
  );
}

/** `-o, --output text|json`. */
export function flagText(name: string, { short, operand }: Flag): string {
  const dashed = `--${name}${operand === undefined ? '' : ` ${operand}`}`;
  return short === undefined ? `    ${dashed}` : `-${short}, ${dashed}`;
}

function flagRows(flags: FlagTable): string {
  const rows = Object.entries(flags).map(([name, flag]) => [flagText(name, flag), flag.what]);
  const width = Math.max(...rows.map(([text = '']) => text.length));
  return rows.map(([text = '', what = '']) => `  ${text.padEnd(width)}  ${what}`).join('\n');
}

function exampleRows(examples: CommandSpec['examples']): string {
  return examples.map(([command, what]) => `  # ${what}\n  ${command}`).join('\n');
}
