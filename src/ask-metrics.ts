/** From the core's questions to Prometheus: which server a rollout asks, with secrets read at most once a minute. */
import type { RolloutSpec } from '#api/rollout.ts';
import type { AskMetrics } from '#controller/observe.ts';
import type { Answer, FailedAnswer } from '#core/answer.ts';
import type { Clock } from '#ports/clock.ts';
import type { MetricEndpoint, MetricSource } from '#ports/metric-source.ts';
import { type EndpointResult, type ReadSecret, resolveEndpoint } from '#prometheus/endpoint.ts';

export interface AskMetricsOptions {
  readonly source: MetricSource;
  readonly clock: Clock;
  /** The operator's own Prometheus; undefined when it was started without one. */
  readonly operatorDefault: () => MetricEndpoint | undefined;
  readonly readSecret: (namespace: string) => ReadSecret;
}

/** A rotated password is used within a minute. */
const ENDPOINT_FRESH_MS = 60_000;

interface Kept {
  readonly result: Promise<EndpointResult>;
  readonly untilMs: number;
}

export function createAskMetrics(options: AskMetricsOptions): AskMetrics {
  const { source, clock, operatorDefault, readSecret } = options;
  /** By the parsed spec, which is one object for as long as its generation stands. */
  const kept = new WeakMap<RolloutSpec, Kept>();

  const endpointOf = (namespace: string, spec: RolloutSpec): Promise<EndpointResult> => {
    const known = kept.get(spec);
    if (known !== undefined && known.untilMs > clock.monotonic()) return known.result;
    const result = resolveEndpoint(
      spec.analysis.prometheus,
      operatorDefault(),
      readSecret(namespace),
    );
    kept.set(spec, { result, untilMs: clock.monotonic() + ENDPOINT_FRESH_MS });
    // What could not be resolved may be mended at any moment: it is tried anew at the next tick.
    const forget = () => kept.delete(spec);
    result.then((one) => (one.type === 'ok' ? undefined : forget()), forget);
    return result;
  };

  return async (question, { namespace, spec }, signal): Promise<Answer> => {
    if (spec === undefined) return refused('the spec of this rollout cannot be read');
    const endpoint = await endpointOf(namespace, spec);
    if (endpoint.type === 'unresolved') return refused(endpoint.message);
    if (question.type === 'instant') {
      return source.instant(endpoint.endpoint, question.query, question.atMs, signal);
    }
    // A decision waits for the proof of a hold: it goes ahead of routine readings.
    return source.range(endpoint.endpoint, question.query, { ...question, urgent: true }, signal);
  };
}

function refused(message: string): FailedAnswer {
  return { type: 'error', fault: 'refused', message };
}
