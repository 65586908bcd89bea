/** The metrics that are recorded at every snapshot: all of `analysis.metrics`, whoever else looks at them. */
import type { RolloutSpec } from '#api/rollout.ts';
import type { Measure, RunMetric } from './run-spec.ts';

/** @param resolve from the name of a metric to how it is had; adds a sentence to `problems` where it cannot be */
export function resolveMetrics(
  spec: RolloutSpec,
  problems: string[],
  resolve: (metric: string, where: string, problems: string[]) => Measure | undefined,
): RunMetric[] {
  return spec.analysis.metrics.flatMap(({ name }, index) => {
    const found: string[] = [];
    const measure = resolve(name, `spec.analysis.metrics[${index}] (${name})`, found);
    // Where a trigger uses it the same has been said of the trigger.
    if (!spec.triggers.some((trigger) => trigger.metric === name)) problems.push(...found);
    return measure?.type === 'query' || measure?.type === 'ratio' ? [{ name, measure }] : [];
  });
}
