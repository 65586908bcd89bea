/** What the text of a feature flag says in either format, and the text that says another weight. */
import type { RouteProblem } from '#ports/traffic-router.ts';
import type { FlagDocument } from './flag-document.ts';
import { writeShares } from './flag-document.ts';
import { routeReasons } from './reasons.ts';
import { percentOf, stands } from './shares.ts';
import type { Refusal } from './writing.ts';

export interface FlagText {
  readonly weight: number;
  readonly uniform: boolean;
  readonly problems: readonly RouteProblem[];
  /** Undefined where the text says exactly this weight already. */
  readonly textFor: (weight: number) => string | undefined;
}

const PERCENT = /^(\s*)(\d{1,3})(\s*)$/;

/** A whole number from 0 to 100, alone but for white space, which stays. */
export function percentText(text: string): FlagText | Refusal {
  const [, before = '', digits, after = ''] = PERCENT.exec(text) ?? [];
  const weight = Number(digits);
  if (digits === undefined || weight > 100) {
    const message = `is ${JSON.stringify(text.slice(0, 40))}; allowed is a whole number from 0 to 100`;
    return { type: 'refused', reason: routeReasons.malformed, message };
  }
  const textFor = (next: number) => (next === weight ? undefined : `${before}${next}${after}`);
  return { weight, uniform: true, problems: [], textFor };
}

/** One flag of a flagd document. */
export function flagdText(text: string, name: string, flag: FlagDocument): FlagText {
  const percents = flag.fractionals.map(({ shares }) => percentOf(shares));
  return {
    weight: Math.max(0, ...percents),
    uniform: new Set(percents).size <= 1,
    problems: problemsOf(name, flag),
    textFor(weight) {
      const moving = flag.fractionals.filter(({ shares }) => !stands(shares, weight));
      return moving.length === 0 ? undefined : writeShares(text, moving, weight);
    },
  };
}

function problemsOf(name: string, flag: FlagDocument): RouteProblem[] {
  const problems: RouteProblem[] = [];
  const block = (reason: string, message: string) =>
    problems.push({ reason, message: `flag "${name}" ${message}`, blocking: true });
  if (!flag.isEnabled) {
    block(
      routeReasons.flagDisabled,
      'has state DISABLED: flagd ignores it, and every caller gets the default in its own code',
    );
  }
  if (flag.fractionals.some(({ shares }) => shares.others > 0)) {
    block(
      routeReasons.thirdVariant,
      'gives a share to a third variant; allowed are canary and stable, others with 0',
    );
  }
  if (flag.fractionals.some(({ isUndeclared }) => isUndeclared)) {
    block(
      routeReasons.weightsNotDeclared,
      'gives no variant a number, which means equal shares before the first step',
    );
  }
  return problems;
}
