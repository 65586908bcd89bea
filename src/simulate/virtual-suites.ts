/** Health suites in virtual time: what a run will bring is known as it starts, and is told once its time has passed. */
import type { Action } from '#core/decision.ts';
import type { SuiteRun, SuiteState } from '#core/suite-state.ts';

/** How one run goes. */
export interface VirtualSuiteRun {
  readonly tookMs: number;
  readonly outcome: SuiteRun['outcome'];
}

type RunSuite = Extract<Action, { readonly type: 'RunSuite' }>;
type States = ReadonlyMap<string, SuiteState>;

export class VirtualSuites {
  /** Of each suite one run after the other, never two at a time. Only ever added to. */
  readonly #runs = new Map<string, SuiteRun[]>();
  #count = 0;

  /** @returns false when it runs already, or has run since it was due */
  start(
    { suite, dueAtMs }: Pick<RunSuite, 'suite' | 'dueAtMs'>,
    nowMs: number,
    run: VirtualSuiteRun,
  ): boolean {
    const runs = this.#runs.get(suite.name) ?? [];
    const last = runs.at(-1);
    if (last !== undefined && (last.finishedAtMs > nowMs || last.startedAtMs >= dueAtMs)) {
      return false;
    }
    const tookMs = Math.min(run.tookMs, suite.timeoutMs);
    const isLate = run.tookMs > suite.timeoutMs;
    const outcome = isLate
      ? { type: 'failed' as const, message: 'no result in time' }
      : run.outcome;
    runs.push({ startedAtMs: nowMs, finishedAtMs: nowMs + tookMs, outcome });
    this.#runs.set(suite.name, runs);
    this.#count += 1;
    return true;
  }

  /** All runs of a suite, also the one under way, which has its end and its outcome already. */
  runsOf(name: string): readonly SuiteRun[] {
    return this.#runs.get(name) ?? [];
  }

  states(names: readonly string[], nowMs: number): States {
    return this.remembered(names)(nowMs);
  }

  /** What has been started so far, to be looked at later: what is started after this is not in it. */
  remembered(names: readonly string[]): (nowMs: number) => States {
    const known = names.map((name) => {
      const runs = this.runsOf(name);
      return { name, runs, count: runs.length };
    });
    return (nowMs) =>
      new Map(
        known.map(({ name, runs, count }) => [name, stateAt(runs.slice(0, count), nowMs)] as const),
      );
  }

  /** When the next run under way ends: whoever runs it tells the engine then. */
  nextEndAfter(nowMs: number): number | undefined {
    let next: number | undefined;
    for (const runs of this.#runs.values()) {
      const endMs = runs.at(-1)?.finishedAtMs ?? nowMs;
      if (endMs > nowMs && endMs < (next ?? Number.POSITIVE_INFINITY)) next = endMs;
    }
    return next;
  }

  get count(): number {
    return this.#count;
  }

  /** The process ends, and with it what it runs. What has ended before is kept as evidence, or nowhere. */
  processEnds(nowMs: number, isKept: boolean): void {
    for (const [name, runs] of this.#runs) {
      const ended = isKept ? runs.filter(({ finishedAtMs }) => finishedAtMs <= nowMs) : [];
      if (ended.length < runs.length) this.#runs.set(name, ended);
    }
  }
}

function stateAt(all: SuiteRun[], nowMs: number): SuiteState {
  const running = all.at(-1);
  if (running === undefined || running.finishedAtMs <= nowMs) return { runs: all };
  return { runs: all.slice(0, -1), runningSinceMs: running.startedAtMs };
}
