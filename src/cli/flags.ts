/** Flags of one command, by Node's own parser; what it refuses becomes a sentence that says what was probably meant. */
import { parseArgs } from 'node:util';
import { nearest } from '#runtime/nearest.ts';
import { BadInput, type FlagTable } from './command.ts';

export function readFlags<const T extends FlagTable>(args: readonly string[], options: T) {
  const given = args.flatMap(separated);
  const problems = problemsOf(given, options);
  if (problems.length > 0) throw new BadInput(problems);
  try {
    return parseArgs({ args: given, options, allowPositionals: true, strict: true });
  } catch (error) {
    throw new BadInput([error instanceof Error ? error.message : String(error)]);
  }
}

/** `-o=json` is how kubectl may be told too. */
function separated(argument: string): string[] {
  const [, flag, value] = /^(-[a-zA-Z])=(.*)$/s.exec(argument) ?? [];
  return flag === undefined || value === undefined ? [argument] : [flag, value];
}

function problemsOf(args: readonly string[], options: FlagTable): string[] {
  const { tokens } = parseArgs({ args: [...args], options, strict: false, tokens: true });
  return tokens.flatMap((token) => {
    if (token.kind !== 'option') return [];
    const { rawName, name, value } = token;
    const flag = Object.hasOwn(options, name) ? options[name] : undefined;
    if (flag === undefined) return [unknownFlag(rawName, options)];
    if (flag.type === 'string' && value === undefined) {
      return [`${rawName} needs a value: ${rawName} ${flag.operand ?? 'VALUE'}`];
    }
    return [];
  });
}

function unknownFlag(rawName: string, options: FlagTable): string {
  const guess = rawName.startsWith('--')
    ? nearest(rawName.slice(2), [...Object.keys(options), 'help'])
    : undefined;
  return `unknown flag ${rawName}; ${guess === undefined ? '--help names those there are' : `did you mean --${guess}?`}`;
}

/** `-o text` or `-o json`. */
export function outputOf(value: string | undefined): 'text' | 'json' {
  return oneOf('--output', value ?? 'text', ['text', 'json']);
}

/** The value, which must be one of these. */
export function oneOf<const T extends string>(
  flag: string,
  value: string,
  allowed: readonly T[],
): T {
  const found = allowed.find((one) => one === value);
  if (found !== undefined) return found;
  const guess = nearest(value, allowed);
  const hint = guess === undefined ? '' : `; did you mean ${guess}?`;
  throw new BadInput([
    `${flag} ${JSON.stringify(value)} is not one of ${allowed.join(', ')}${hint}`,
  ]);
}
