/** Runs one command to its end and gives back what it printed; a failure says what was run, how it ended and its last lines. */
import { spawn } from 'node:child_process';

import { childEnvironment } from './environment.ts';

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal;
  readonly input?: string;
}

/** Lines of a failed command's output that are worth showing. */
const linesShownMax = 25;

export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exitCode: number | null;

  constructor(message: string, exitCode: number | null) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Resolves with standard output. */
export async function run(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const child = spawn(command, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: childEnvironment(options.env ?? {}),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  const out: string[] = [];
  const all: string[] = [];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out.push(text);
    all.push(text);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => all.push(text));
  // A command that ends without reading its input closes the pipe; that is no failure of its own.
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');

  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  child.on('error', reject);
  child.on('close', resolve);
  const line = [command, ...args].join(' ');
  const code = await promise.catch((error: unknown) => {
    options.signal?.throwIfAborted();
    throw new CommandError(`cannot run \`${line}\`: ${String(error)}`, null);
  });
  if (code === 0) return out.join('');
  throw new CommandError(
    `\`${line}\` ended with ${code ?? 'a signal'}:\n${lastLines(all.join(''), linesShownMax)}`,
    code,
  );
}

export function lastLines(text: string, count: number): string {
  return text.trimEnd().split('\n').slice(-count).join('\n');
}

/** A program that cannot even be started is not installed. */
export async function orMissing<T>(work: Promise<T>, hint: string): Promise<T> {
  return await work.catch((error: unknown) => {
    const isMissing = error instanceof CommandError && error.exitCode === null;
    throw isMissing ? new Error(hint, { cause: error }) : error;
  });
}
