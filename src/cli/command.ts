/** What a command may use of the machine, and how it ends. */

export interface Terminal {
  /** Throws when the file cannot be read. */
  readonly readText: (path: string) => string;
  readonly writeText: (path: string, text: string) => void;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

export const exitCodes = {
  /** All is as expected, or nothing was. */
  asExpected: 0,
  /** Something differs from what was expected, or would have fired. */
  differs: 1,
  /** Flags or files are not usable; standard error says why. */
  badInput: 2,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Thrown for bad input; `runCommand` prints the sentences. */
export class BadInput extends Error {
  readonly sentences: readonly string[];

  constructor(sentences: readonly string[]) {
    super(sentences.join('\n'));
    this.name = 'BadInput';
    this.sentences = sentences;
  }
}
