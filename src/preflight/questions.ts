/** What one check asks of monitoring systems: each question once, a few at a time. Deadlines are the ports' own. */
import type { InstantAnswer } from '#core/answer.ts';
import type {
  LoadedRule,
  MetricBackend,
  MonitoringSystems,
  ScrapeTarget,
  Told,
} from '#ports/monitoring-systems.ts';
import { createTurns, type TakeTurn } from './turns.ts';

/** How far back something is looked for that is not there now. */
export const HISTORY_MS = 14 * 24 * 3_600_000;

/** A check shares Prometheus with the looks that decide. */
const AT_ONCE_MAX = 4;

export interface Questions {
  /** The time that is asked for: what was true then is what the check says. */
  readonly atMs: number;
  /** When the check began, by the clock of Prometheus. */
  nowMs(): number;
  instant(query: string, atMs?: number): Promise<InstantAnswer>;
  targets(): Promise<Told<readonly ScrapeTarget[]>>;
  rules(): Promise<Told<readonly LoadedRule[]>>;
  alertmanagers(): Promise<Told<readonly string[]>>;
  labelValues(
    label: string,
    selectors: readonly string[],
    backMs: number,
  ): Promise<Told<readonly string[]>>;
  /** For whatever is asked of others than Prometheus. */
  readonly turn: TakeTurn;
  readonly signal: AbortSignal;
}

export function createQuestions(
  { metrics }: Pick<MonitoringSystems, 'metrics'>,
  time: { readonly nowMs: number; readonly offsetMs: number },
  signal: AbortSignal,
): Questions {
  const atMs = time.nowMs - time.offsetMs;
  const turns = createTurns(AT_ONCE_MAX);
  const turn: TakeTurn = (work) =>
    turns(() => {
      signal.throwIfAborted();
      return work();
    });
  let skewMs = 0;
  const ask = async (query: string, thenMs: number): Promise<InstantAnswer> => {
    const answer = await turn(() => metrics.instant(query, thenMs, signal));
    if (answer.type === 'samples') skewMs = answer.skewMs ?? skewMs;
    return answer;
  };
  const instants = remembered<InstantAnswer>();
  const values = remembered<Told<readonly string[]>>();
  const targets = remembered<Told<readonly ScrapeTarget[]>>();
  const rules = remembered<Told<readonly LoadedRule[]>>();
  const alertmanagers = remembered<Told<readonly string[]>>();
  return {
    atMs,
    nowMs: () => time.nowMs + skewMs,
    turn,
    signal,
    instant: (query, thenMs = atMs) => instants(`${thenMs} ${query}`, () => ask(query, thenMs)),
    targets: () => targets('', () => turn(() => metrics.targets(signal))),
    rules: () => rules('', () => turn(() => metrics.rules(signal))),
    alertmanagers: () => alertmanagers('', () => turn(() => metrics.alertmanagers(signal))),
    labelValues: (label, selectors, backMs) =>
      values(JSON.stringify([label, selectors, backMs]), () =>
        turn(() => labelValuesOf(metrics, { label, selectors, backMs, atMs }, signal)),
      ),
  };
}

function labelValuesOf(
  metrics: MetricBackend,
  asked: {
    readonly label: string;
    readonly selectors: readonly string[];
    readonly backMs: number;
    readonly atMs: number;
  },
  signal: AbortSignal,
): Promise<Told<readonly string[]>> {
  const window = { startMs: asked.atMs - asked.backMs, endMs: asked.atMs };
  return metrics.labelValues(asked.label, asked.selectors, window, signal);
}

function remembered<T>(): (key: string, ask: () => Promise<T>) => Promise<T> {
  const known = new Map<string, Promise<T>>();
  return (key, ask) => {
    const before = known.get(key);
    if (before !== undefined) return before;
    const asked = ask();
    known.set(key, asked);
    return asked;
  };
}
