/** Colour as a function, so that rendering stays text in, text out. */
import { styleText } from 'node:util';

export type Style = 'good' | 'bad' | 'warn' | 'strong' | 'faint' | 'plan' | 'measured';
export type Paint = (style: Style, text: string) => string;

export const plain: Paint = (_style, text) => text;

const ansi = {
  good: 'green',
  bad: ['bold', 'red'],
  warn: 'yellow',
  strong: 'bold',
  faint: 'gray',
  plan: 'cyan',
  measured: 'green',
} as const satisfies Record<Style, unknown>;

export const coloured: Paint = (style, text) =>
  // Whether there should be colour at all has been decided by who chose this function.
  styleText([ansi[style]].flat(), text, { validateStream: false });

/** Colour only for a person at a terminal who has not asked for none (no-color.org). */
export function paintFor(stream: { readonly isTTY?: boolean }, noColor: string | undefined): Paint {
  return stream.isTTY === true && (noColor === undefined || noColor === '') ? coloured : plain;
}
