/** From the core's questions to the Prometheus of the rollout that asks them. */
import type { AskMetrics } from '#controller/observe.ts';
import type { Answer, FailedAnswer } from '#core/answer.ts';
import type { MetricSource } from '#ports/metric-source.ts';
import type { EndpointOf } from './rollout-endpoints.ts';

export function createAskMetrics(source: MetricSource, endpointOf: EndpointOf): AskMetrics {
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
