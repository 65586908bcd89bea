/**
 * The metric source: PromQL over HTTP to Prometheus and what speaks its API. Every question has one deadline that covers
 * waiting, connecting and reading; every outcome, faults included, is an answer.
 */
import type {
  FailedAnswer,
  InstantAnswer,
  MetricSource,
  RangeAnswer,
} from '#ports/metric-source.ts';
import { createConnections } from '#transport/connections.ts';
import { parseInstant, parseRange } from './answer.ts';
import { createBackends, type FindBackend } from './backend.ts';
import { type CarrierOptions, createCarrier } from './carrier.ts';
import { createDedupe } from './dedupe.ts';
import { instantQuestion, rangeQuestion } from './question.ts';
import type { Target } from './target.ts';
import { createTargets } from './targets.ts';

export type { QueryObserver, QueryReport } from './carrier.ts';

export interface MetricSourceOptions extends CarrierOptions {
  /** Requests under way at once, per server. */
  readonly concurrencyMax: number;
  /** How long an answer is good for whoever asks the same again: about one tick. */
  readonly keepMs: number;
  /** The same for what a server says of itself: its targets, its rules. */
  readonly listsKeptMs: number;
}

export interface PrometheusSource extends MetricSource {
  /** The same server, for what else it can be asked. */
  readonly backendOf: FindBackend;
  /** Questions that wait for a place, over all servers. */
  waiting(): number;
  close(): Promise<void>;
}

/** Beyond these a question is refused at once, or something old is forgotten. */
export const LIMITS = {
  waitingMax: 10_000,
  serversMax: 32,
  targetsMax: 1_000,
  answersKeptMax: 20_000,
  /** Samples and points in all kept answers together; about 100 bytes each. */
  valuesKeptMax: 100_000,
} as const;

/** A failure is passed on to those who ask in the same moment; after that the question is sent again. */
const FAILURE_KEEP_MS = 1_000;

export function createMetricSource(options: MetricSourceOptions): PrometheusSource {
  const { clock, timeoutMs, concurrencyMax } = options;
  const findTarget = createTargets(LIMITS.targetsMax);
  const connections = createConnections({ timeoutMs, concurrencyMax, ...LIMITS });
  const carryOut = createCarrier(options, connections);
  const sharing = {
    clock,
    entriesMax: LIMITS.answersKeptMax,
    sizeMax: LIMITS.valuesKeptMax,
    keepMs: (answer: InstantAnswer | RangeAnswer) =>
      answer.type === 'error' ? FAILURE_KEEP_MS : options.keepMs,
    onShared: () => options.observe?.shared(),
  };
  const instants = createDedupe<InstantAnswer>({ ...sharing, size: instantSize });
  const ranges = createDedupe<RangeAnswer>({ ...sharing, size: rangeSize });

  const instant: MetricSource['instant'] = async (endpoint, query, atMs, signal) => {
    const found = findTarget(endpoint);
    if (found.type === 'invalid') return unusable(found.message);
    const question = instantQuestion(found.target, query, atMs);
    const start = async (stop: AbortSignal): Promise<InstantAnswer> => {
      const carried = await carryOut(question, stop, parseInstant);
      if (carried.type === 'error') return carried;
      return { type: 'samples', samples: carried.parts, skewMs: carried.skewMs };
    };
    return instants.ask(question.key, {
      signal,
      start,
      left: () => stoppedWaiting(found.target),
    });
  };

  return {
    instant,
    backendOf: createBackends({
      clock,
      carryOut,
      findTarget,
      instant,
      listsKeptMs: options.listsKeptMs,
      onShared: sharing.onShared,
    }),

    async range(endpoint, query, window, signal) {
      const found = findTarget(endpoint);
      if (found.type === 'invalid') return unusable(found.message);
      const question = rangeQuestion(found.target, query, window);
      const start = async (stop: AbortSignal): Promise<RangeAnswer> => {
        const carried = await carryOut(question, stop, parseRange);
        if (carried.type === 'error') return carried;
        return { type: 'series', series: carried.parts, skewMs: carried.skewMs };
      };
      return ranges.ask(question.key, { signal, start, left: () => stoppedWaiting(found.target) });
    },

    waiting: () => Array.from(connections.all(), ({ lane }) => lane.waiting()).reduce(add, 0),
    close: () => connections.close(),
  };
}

function instantSize(answer: InstantAnswer): number {
  return answer.type === 'samples' ? 1 + answer.samples.length : 1;
}

function rangeSize(answer: RangeAnswer): number {
  if (answer.type === 'error') return 1;
  return answer.series.map(({ points }) => 1 + points.length).reduce(add, 1);
}

function add(sum: number, value: number): number {
  return sum + value;
}

function unusable(message: string): FailedAnswer {
  return {
    type: 'error',
    fault: 'refused',
    message: `The url of Prometheus is not usable: ${message}`,
  };
}

function stoppedWaiting({ shown }: Target): FailedAnswer {
  const message = `Prometheus at ${shown} had not answered when the asker's own time was over`;
  return { type: 'error', fault: 'timeout', message };
}
