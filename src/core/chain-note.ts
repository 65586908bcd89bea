/** What a check of the metric chain has proved, in one sentence: how many links, and what is worth telling. */
import type { ChainFinding, ChainVerdict } from './chain.ts';
import { type ChainFacts, reportOf } from './chain-report.ts';

export interface ChainNote {
  readonly message: string;
  /** Something in it is worth a warning. */
  readonly isAdvice: boolean;
}

/** Of each kind; how many more there are is said. */
const NAMED_MAX = 3;

/** @returns undefined where nothing was checked */
export function chainNote(facts: ChainFacts): ChainNote | undefined {
  const report = facts.run.preflight === 'Skip' ? undefined : reportOf(facts);
  if (report === undefined) return undefined;
  const by = (verdict: ChainVerdict) =>
    report.findings.filter((finding) => finding.verdict === verdict);
  const advice = by('advice');
  const parts = [
    `${by('fine').length} links of the metric chain are proved`,
    counted(by('noTrafficExpected').length, 'have no traffic yet'),
    named(by('cannotTell'), 'cannot be told'),
    named(advice, 'are worth a look'),
  ];
  return { message: parts.filter((part) => part !== '').join(', '), isAdvice: advice.length > 0 };
}

function counted(count: number, what: string): string {
  return count === 0 ? '' : `${count} ${what}`;
}

function named(findings: readonly ChainFinding[], what: string): string {
  if (findings.length === 0) return '';
  const first = findings.slice(0, NAMED_MAX).map(({ of, message }) => `${of}: ${message}`);
  const more = findings.length - first.length;
  const rest = more === 0 ? '' : `; and ${more} more`;
  return `${findings.length} ${what} (${first.join('; ')}${rest})`;
}
