/** How a page looks: colour as a function, and the signs that the terminal can show. */
import { styleText } from 'node:util';

export type Style = 'good' | 'bad' | 'warn' | 'strong' | 'faint';

export interface Ink {
  readonly paint: (style: Style, text: string) => string;
  readonly signs: Signs;
}

interface Signs {
  readonly past: string;
  readonly future: string;
  readonly step: readonly [passed: string, ahead: string];
  readonly checkpoint: readonly [passed: string, ahead: string];
  readonly end: string;
  readonly now: string;
  readonly passed: string;
  readonly failed: string;
  /** There is nothing, and nothing is meant to be. */
  readonly none: string;
  readonly here: string;
  readonly more: string;
}

const drawn: Signs = {
  past: '━',
  future: '─',
  step: ['●', '○'],
  checkpoint: ['◆', '◇'],
  end: '┤',
  now: '▼',
  passed: '✔',
  failed: '✖',
  none: '–',
  here: '▶',
  more: '…',
};

/** For a terminal that is not known to show anything else. */
const typed: Signs = {
  past: '=',
  future: '-',
  step: ['#', 'o'],
  checkpoint: ['*', '+'],
  end: '|',
  now: 'v',
  passed: '+',
  failed: 'x',
  none: '-',
  here: '>',
  more: '~',
};

const ansi = {
  good: 'green',
  bad: ['bold', 'red'],
  warn: 'yellow',
  strong: 'bold',
  faint: 'gray',
} as const satisfies Record<Style, unknown>;

export interface InkChoice {
  readonly isTty: boolean;
  /** `--no-color`. */
  readonly isPlain: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Colour only for a person at a terminal who has not asked for none (no-color.org). */
export function inkFor({ isTty, isPlain, env }: InkChoice): Ink {
  const isRefused = Boolean(env['NO_COLOR']) || env['TERM'] === 'dumb' || isPlain;
  return {
    paint: isTty && !isRefused ? coloured : (_style, text) => text,
    signs: isUnicode(env) ? drawn : typed,
  };
}

function coloured(style: Style, text: string): string {
  return styleText([ansi[style]].flat(), text, { validateStream: false });
}

/** By the same rule as every program: the first of the three that is set says which characters there are. */
function isUnicode(env: InkChoice['env']): boolean {
  const locale = env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || 'UTF-8';
  return /utf-?8/i.test(locale);
}

const phaseStyles: Readonly<Record<string, Style>> = {
  Progressing: 'good',
  Monitoring: 'good',
  Promoting: 'good',
  Succeeded: 'good',
  Held: 'warn',
  Paused: 'warn',
  Preflight: 'warn',
  Pending: 'warn',
  RollingBack: 'bad',
  RolledBack: 'bad',
};

export function phaseStyle(phase: string): Style {
  return phaseStyles[phase] ?? 'strong';
}
