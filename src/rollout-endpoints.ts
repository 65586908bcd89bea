/** Which Prometheus a rollout asks, with secrets read at most once a minute. */
import type { RolloutSpec } from '#api/rollout.ts';
import type { Clock } from '#ports/clock.ts';
import type { MetricEndpoint } from '#ports/metric-source.ts';
import { type EndpointResult, type ReadSecret, resolveEndpoint } from '#prometheus/endpoint.ts';

export interface RolloutEndpointsOptions {
  readonly clock: Clock;
  /** The operator's own Prometheus; undefined when it was started without one. */
  readonly operatorDefault: () => MetricEndpoint | undefined;
  readonly readSecret: (namespace: string) => ReadSecret;
}

export type EndpointOf = (namespace: string, spec: RolloutSpec) => Promise<EndpointResult>;

/** A rotated password is used within a minute. */
const FRESH_MS = 60_000;

interface Kept {
  readonly result: Promise<EndpointResult>;
  readonly untilMs: number;
}

export function createRolloutEndpoints(options: RolloutEndpointsOptions): EndpointOf {
  const { clock, operatorDefault, readSecret } = options;
  /** By the parsed spec, which is one object for as long as its generation stands. */
  const kept = new WeakMap<RolloutSpec, Kept>();

  return (namespace, spec) => {
    const known = kept.get(spec);
    if (known !== undefined && known.untilMs > clock.monotonic()) return known.result;
    const result = resolveEndpoint(
      spec.analysis.prometheus,
      operatorDefault(),
      readSecret(namespace),
    );
    kept.set(spec, { result, untilMs: clock.monotonic() + FRESH_MS });
    // What could not be resolved may be mended at any moment: it is tried anew at the next tick.
    const forget = () => kept.delete(spec);
    result.then((one) => (one.type === 'ok' ? undefined : forget()), forget);
    return result;
  };
}
