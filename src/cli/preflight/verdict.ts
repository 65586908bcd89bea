/** What a report comes to: how many links are how, in one sentence, and the exit code. */
import { type ExitCode, exitCodes } from '#cli/command.ts';
import type { Style } from '#cli/page/ink.ts';
import type { ChainFinding, ChainReport, ChainVerdict } from '#core/chain.ts';

export interface Verdict {
  readonly style: Style;
  readonly text: string;
  readonly exit: ExitCode;
}

const BROKEN_NAMED_MAX = 3;

/** What cannot be told fails nothing, and is never passed over. */
export function verdictOf({ findings }: Pick<ChainReport, 'findings'>): Verdict {
  const count = (verdict: ChainVerdict) =>
    findings.filter((finding) => finding.verdict === verdict).length;
  const broken = findings.filter(({ verdict }) => verdict === 'broken');
  const beside = besideText({
    cannotTell: count('cannotTell'),
    noTraffic: count('noTrafficExpected'),
    advice: count('advice'),
  });
  if (broken.length > 0) {
    const text = `Preflight fails: ${plural(broken.length, 'link is', 'links are')} broken: ${namesOf(broken)}${beside}.`;
    return { style: 'bad', text, exit: exitCodes.preflightFailed };
  }
  const fine = count('fine');
  if (count('cannotTell') > 0) {
    const text = `Nothing is broken, but not all is proved: ${plural(fine, 'link is', 'links are')} fine${beside}.`;
    return { style: 'warn', text, exit: exitCodes.asExpected };
  }
  if (fine === 0 && findings.length === 0) {
    const text = 'There is nothing to check: this rollout relies on no metric, rule or dashboard.';
    return { style: 'warn', text, exit: exitCodes.asExpected };
  }
  const text = `All is well: ${plural(fine, 'link is', 'links are')} fine${beside}.`;
  return { style: 'good', text, exit: exitCodes.asExpected };
}

function besideText(counts: {
  readonly cannotTell: number;
  readonly noTraffic: number;
  readonly advice: number;
}): string {
  const parts = [
    counts.cannotTell > 0 ? `${counts.cannotTell} cannot be told` : '',
    counts.noTraffic > 0 ? `no traffic is expected at ${counts.noTraffic}` : '',
    counts.advice > 0 ? plural(counts.advice, 'piece of advice', 'pieces of advice') : '',
  ].filter((part) => part !== '');
  return parts.length === 0 ? '' : `; ${parts.join('; ')}`;
}

function namesOf(broken: readonly ChainFinding[]): string {
  const names = [...new Set(broken.map(({ link, of }) => `${link} of ${of}`))];
  const shown = names.slice(0, BROKEN_NAMED_MAX).join(', ');
  const more = names.length - BROKEN_NAMED_MAX;
  return more > 0 ? `${shown} and ${more} more` : shown;
}

function plural(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}
