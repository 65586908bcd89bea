/** A terminal that remembers what a command has printed. */
import type { ExitCode, Terminal } from '#cli/command.ts';
import { runCommand } from '#cli/run-command.ts';
import { systemClock } from '#runtime/clock.ts';

export interface Printed {
  readonly code: ExitCode;
  readonly out: string;
  readonly err: string;
}

/** No server, no terminal, no environment, unless a test says otherwise; and what was printed on it. */
export function printingTerminal(overrides: Partial<Terminal> = {}): {
  readonly terminal: Terminal;
  readonly printed: () => Omit<Printed, 'code'>;
} {
  let out = '';
  let err = '';
  const terminal: Terminal = {
    readText: (path) => {
      throw new Error(`there is no file ${path}`);
    },
    writeText: () => undefined,
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    env: {},
    isTty: false,
    columns: undefined,
    rows: undefined,
    clock: systemClock,
    interrupted: new AbortController().signal,
    connect: () => Promise.reject(new Error('this test has no server')),
    ...overrides,
  };
  return { terminal, printed: () => ({ out, err }) };
}

export async function runCli(
  argv: readonly string[],
  overrides: Partial<Terminal> = {},
): Promise<Printed> {
  const { terminal, printed } = printingTerminal(overrides);
  const code = await runCommand(argv, terminal);
  return { code, ...printed() };
}
