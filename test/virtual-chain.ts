/** A board of the metric chain in virtual time: a check takes two seconds, and finds what was so when it began. */
import type { ChainFinding, ChainReport, ChainState } from '#core/chain.ts';
import type { Action } from '#core/decision.ts';

type CheckChain = Extract<Action, { readonly type: 'CheckChain' }>;

/** What is so at a moment; health follows from the links of the systems themselves. `failure`: the check brings nothing. */
export type ChainTruth = (
  nowMs: number,
) => { readonly failure: string } | { readonly findings: readonly ChainFinding[] };

const TOOK_MS = 2_000;

export class VirtualChain {
  readonly #truth: ChainTruth;
  #isHanging = false;
  #state: ChainState | undefined;
  #running: { readonly endMs: number; readonly outcome: ChainReport | string } | undefined;
  /** When each check began. */
  readonly checks: number[] = [];

  constructor(truth: ChainTruth) {
    this.#truth = truth;
  }

  stateAt(nowMs: number): ChainState {
    const state = this.#state ?? { type: 'unknown', sinceMs: nowMs };
    this.#state = this.#running !== undefined && this.#running.endMs <= nowMs ? this.#end() : state;
    return this.#state;
  }

  check({ generation }: CheckChain, nowMs: number): void {
    const state = this.stateAt(nowMs);
    if (this.#running !== undefined) return;
    const truth = this.#truth(nowMs);
    const outcome =
      'failure' in truth ? truth.failure : reportOf(truth.findings, nowMs, generation);
    const endMs = this.#isHanging ? Number.POSITIVE_INFINITY : nowMs + TOOK_MS;
    this.#running = { endMs, outcome };
    this.#state = { ...state, checkingSinceMs: nowMs };
    this.checks.push(nowMs);
  }

  nextEndAfter(nowMs: number): number | undefined {
    const endMs = this.#running?.endMs;
    return endMs !== undefined && endMs > nowMs && endMs < Infinity ? endMs : undefined;
  }

  /** The next check does not end. */
  hang(): void {
    this.#isHanging = true;
  }

  /** Another process knows nothing of it. */
  restart(): void {
    this.#state = undefined;
    this.#running = undefined;
  }

  #end(): ChainState {
    const { endMs = 0, outcome = '' } = this.#running ?? {};
    const before = this.#state;
    this.#running = undefined;
    if (typeof outcome === 'string') return { type: 'unknown', sinceMs: endMs, failure: outcome };
    const previous = before?.type === 'known' ? { previous: before.report } : {};
    return { type: 'known', report: outcome, ...previous };
  }
}

function reportOf(
  findings: readonly ChainFinding[],
  checkedAtMs: number,
  generation: number,
): ChainReport {
  const healthOf = (name: string) => {
    const down = findings.find(({ link, verdict }) => link === name && verdict === 'broken');
    if (down === undefined) return { state: 'Up' as const };
    return { state: 'Down' as const, message: down.message };
  };
  const health = {
    prometheus: healthOf('prometheus'),
    alertmanager: healthOf('alertmanager'),
    grafana: healthOf('grafana'),
  };
  return { checkedAtMs, generation, findings, health };
}
