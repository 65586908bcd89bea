/** What checks of the metric chain find in a simulated world, and what the process knows of it: no rise with a broken link. */
import type { ChainFinding, ChainLink, ChainReport } from '#core/chain.ts';
import { finding, fine } from '#test/chain-findings.ts';
import type { Process } from './process.ts';
import type { Truth } from './truth.ts';

/** A report that has just come may be newer than the look that is under way. */
const JUST_MS = 3_000;

const broken: Readonly<Record<'panel' | 'receiver' | 'grafana' | 'label', string>> = {
  panel: 'dashboard checkout',
  receiver: 'alert rule Errors',
  grafana: 'grafana',
  label: 'trigger errors',
};

export function chainAt({ chain }: Truth, nowMs: number): readonly ChainFinding[] | 'hangs' {
  const now = chain.filter((one) => nowMs >= one.fromMs && nowMs < one.toMs);
  if (now.some(({ how }) => how === 'hang')) return 'hangs';
  const findings = now.flatMap(({ how }) => (how === 'hang' ? [] : [finding(how, broken[how])]));
  return [fine('metric', 'trigger errors'), ...findings];
}

export function reportOf(
  findings: readonly ChainFinding[],
  checkedAtMs: number,
  generation: number,
): ChainReport {
  const stateOf = (link: ChainLink) =>
    findings.some((one) => one.link === link && one.verdict === 'broken') ? 'Down' : 'Up';
  const health = {
    prometheus: { state: 'Up' as const },
    alertmanager: { state: 'Up' as const },
    grafana: { state: stateOf('grafana') } as const,
  };
  return { checkedAtMs, generation, findings, health };
}

interface KnownReport {
  readonly process: Process;
  readonly sinceMs: number;
  readonly isBroken: boolean;
}

export class ChainLog {
  readonly #reports: KnownReport[] = [];

  add(process: Process, sinceMs: number, findings: readonly ChainFinding[]): void {
    const isBroken = findings.some(({ verdict }) => verdict === 'broken');
    this.#reports.push({ process, sinceMs, isBroken });
  }

  /** Why nothing may rise now, or no checkpoint be passed that asks for Preflight; undefined: the chain is proved. */
  obstacle([process, second]: readonly Process[], nowMs: number): string | undefined {
    if (process === undefined || second !== undefined) return undefined;
    const own = this.#reports.filter((one) => one.process === process);
    const newest = own.at(-1);
    if (newest === undefined) return 'without a check of the metric chain by this process';
    const isSettled = nowMs - newest.sinceMs > JUST_MS;
    return newest.isBroken && isSettled ? 'with a link that is known to be broken' : undefined;
  }
}
