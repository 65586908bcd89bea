/** What a command may use of the machine, how it is described, and how it ends. */
import type { ParseArgsConfig } from 'node:util';
import type { KubectlClient, KubectlClientOptions } from '#kube/kubectl-client.ts';
import type { Clock } from '#ports/clock.ts';

export interface Terminal {
  /** Throws when the file cannot be read. */
  readonly readText: (path: string) => string;
  readonly writeText: (path: string, text: string) => void;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether a person reads standard output as it is written. */
  readonly isTty: boolean;
  /** Characters in a line of the terminal; undefined where there is none. */
  readonly columns: number | undefined;
  readonly rows: number | undefined;
  readonly clock: Clock;
  /** Aborted by Ctrl-C. */
  readonly interrupted: AbortSignal;
  readonly connect: (
    options: Pick<KubectlClientOptions, 'flags' | 'requestTimeoutMs'>,
  ) => Promise<KubectlClient>;
}

export const exitCodes = {
  /** All is as expected, or nothing was. */
  asExpected: 0,
  /** Something differs from what was expected, or would have fired. */
  differs: 1,
  failed: 1,
  /** Flags or files are not usable; standard error says why. */
  badInput: 2,
  notFound: 3,
  refused: 4,
  timedOut: 5,
  preflightFailed: 5,
  rolledBack: 6,
  interrupted: 130,
} as const;

/** What each exit code means, for `--help` and the reference. */
export const exitMeanings: Readonly<Record<ExitName, string>> = {
  asExpected: 'done, and all is as expected',
  differs: 'something differs from what was expected, or would have fired',
  failed: 'an error: the API server cannot be reached, or answers with something unexpected',
  badInput: 'a flag, a name or a file is not usable, or the kubeconfig is not',
  notFound: 'there is no such rollout, or the CRDs are not installed',
  refused: 'refused by the operator, or forbidden by the API server',
  timedOut: 'what was waited for has not happened in time',
  preflightFailed: 'preflight has failed: a link of the metric chain is broken',
  rolledBack: 'the run has been rolled back',
  interrupted: 'ended by Ctrl-C',
};

export type ExitName = keyof typeof exitCodes;
export type ExitCode = (typeof exitCodes)[ExitName];

export interface Flag {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  readonly multiple?: boolean;
  /** What stands behind it, for those that take a value. */
  readonly operand?: string;
  readonly what: string;
}

export type FlagTable = Readonly<Record<string, Flag>> & NonNullable<ParseArgsConfig['options']>;

/** Everything that `--help` and docs/reference/cli.md say about a command. */
export interface CommandSpec {
  /** What stands behind the command: `NAME [flags]`. */
  readonly operands: string;
  /** Sentences below the first one. */
  readonly about: readonly string[];
  readonly flags: FlagTable;
  /** True: it takes kubectl's own flags as well. */
  readonly isOnline: boolean;
  readonly examples: readonly (readonly [command: string, what: string])[];
  readonly exits: readonly ExitName[];
}

export interface Command {
  readonly spec: CommandSpec;
  readonly run: (args: readonly string[], terminal: Terminal) => Promise<ExitCode>;
}

/** Thrown where a command cannot go on; `runCommand` prints the sentences and ends with the code. */
export class Failure extends Error {
  readonly exit: ExitCode;
  readonly sentences: readonly string[];

  constructor(exit: ExitName, sentences: readonly string[], options: { cause?: unknown } = {}) {
    super(sentences.join('\n'), options);
    this.name = 'Failure';
    this.exit = exitCodes[exit];
    this.sentences = sentences;
  }
}

/** Thrown for bad input. */
export class BadInput extends Failure {
  constructor(sentences: readonly string[]) {
    super('badInput', sentences);
    this.name = 'BadInput';
  }
}
