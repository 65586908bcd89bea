/** Flags of one command, by Node's own parser; what it refuses becomes a sentence. */
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { BadInput } from './command.ts';

type Options = NonNullable<ParseArgsConfig['options']>;

export function readFlags<const T extends Options>(args: readonly string[], options: T) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    throw new BadInput([error instanceof Error ? error.message : String(error)]);
  }
}

/** `-o text` or `-o json`. */
export function outputOf(value: string | undefined): 'text' | 'json' {
  if (value === undefined || value === 'text') return 'text';
  if (value === 'json') return 'json';
  throw new BadInput([`--output ${JSON.stringify(value)} is not one of text, json`]);
}
