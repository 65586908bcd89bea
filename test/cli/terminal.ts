/** A terminal that remembers what a command has printed. */
import type { ExitCode, Terminal } from '#cli/command.ts';
import { runCommand } from '#cli/run-command.ts';
import { systemClock } from '#runtime/clock.ts';

export interface Printed {
  readonly code: ExitCode;
  readonly out: string;
  readonly err: string;
}

/** No server, no terminal, no environment, unless a test says otherwise. */
export async function runCli(
  argv: readonly string[],
  overrides: Partial<Terminal> = {},
): Promise<Printed> {
  let out = '';
  let err = '';
  const code = await runCommand(argv, {
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
  });
  return { code, out, err };
}
