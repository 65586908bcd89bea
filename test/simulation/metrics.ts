/** The simulated Prometheus: answers from the truth and from where traffic really went, faults included. */
import type { Answer, MetricQuestion } from '#core/answer.ts';
import { countedAt } from './counters.ts';
import { type TrafficLog, weightAt } from './traffic-log.ts';
import { type Truth, within } from './truth.ts';

export function answer(
  question: MetricQuestion,
  truth: Truth,
  log: TrafficLog,
  time: { readonly nowMs: number; readonly offMs: number },
): Answer {
  const now = time.nowMs;
  // The server's clock is right: it is ours that is off.
  const skewMs = -time.offMs;
  const fault = truth.unreachable.find((one) => now >= one.fromMs && now < one.toMs);
  if (fault?.how === 'refused') return failed('unreachable', 'connection refused');
  if (fault?.how === 'timeout') return failed('timeout', 'no answer in time');
  if (fault?.how === 'partial') return failed('partial', 'a store did not answer');
  const valueAt = (atMs: number): number | undefined => {
    if (fault?.how === 'empty') return undefined;
    // Asked for a moment that is still to come, Prometheus looks back to the newest sample.
    const value = sample(question.query, Math.min(atMs, now), truth, log);
    return fault?.how === 'nan' && value !== undefined ? Number.NaN : value;
  };
  if (question.type === 'instant') {
    const value = valueAt(question.atMs);
    const samples = value === undefined ? [] : [{ labels: {}, value, atMs: question.atMs }];
    return { type: 'samples', samples, skewMs };
  }
  const points = [];
  for (let atMs = question.startMs; atMs <= question.endMs; atMs += question.stepMs) {
    const value = valueAt(atMs);
    if (value !== undefined) points.push({ atMs, value });
  }
  const series = points.length === 0 ? [] : [{ labels: {}, points }];
  return { type: 'series', series, skewMs };
}

function sample(query: string, atMs: number, truth: Truth, log: TrafficLog): number | undefined {
  // `or vector(0)`: rules are evaluated, and say nothing of what was not scraped.
  if (query.startsWith('count(ALERTS')) return within(truth.alerts, atMs) ? 1 : 0;
  if (within(truth.unscraped, atMs)) return undefined;
  if (query.includes('"canary"') && within(truth.canaryUnscraped, atMs)) return undefined;
  if (query === 'load') return loadAt(truth, atMs);
  if (query.includes('(requests_')) return countedAt(query, atMs, truth, log);
  if (query.startsWith('total') || query.startsWith('bad')) {
    return requests(query, atMs, truth, log);
  }
  return undefined;
}

export function loadAt(truth: Truth, atMs: number): number {
  const now = truth.load.find((one) => atMs >= one.fromMs && atMs < one.toMs);
  return now === undefined ? 1 : now.from + (now.perSecond * (atMs - now.fromMs)) / 1000;
}

/** Bad series exist only while something fails, as in real services. */
function requests(query: string, atMs: number, truth: Truth, log: TrafficLog): number | undefined {
  const isCanary = query.includes('"canary"');
  const share = isCanary ? weightAt(log, atMs) : 100 - weightAt(log, atMs);
  if (query.startsWith('total')) return share > 0 ? share : undefined;
  const stretches = isCanary ? truth.breaches : truth.stableBreaches;
  return share > 0 && within(stretches, atMs) ? share * 0.1 : undefined;
}

function failed(fault: 'unreachable' | 'timeout' | 'partial', message: string): Answer {
  return { type: 'error', fault, message };
}
