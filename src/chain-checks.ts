/** The board of chain checks, put together: which systems a rollout relies on, and what asks them. */
import { type ChainBoardOptions, createChainBoard } from '#controller/chain-board.ts';
import { parseStatus } from '#controller/observe.ts';
import type { Specs } from '#controller/specs.ts';
import type { Monitoring } from '#monitoring/monitoring-systems.ts';
import type { ChainBoard, ChainOrder } from '#ports/chain-board.ts';
import type { ObjectKey } from '#ports/cluster.ts';
import type { SuiteBoard } from '#ports/suite-runner.ts';
import { checkChain } from '#preflight/check-chain.ts';
import type { EndpointOf } from './rollout-endpoints.ts';

export interface ChainChecksOptions extends Omit<ChainBoardOptions, 'check'> {
  readonly monitoring: Monitoring;
  readonly endpointOf: EndpointOf;
  readonly specs: Specs;
  readonly suites: Pick<SuiteBoard, 'states'>;
  /** Whether there is a PrometheusRule of the operator's for this rollout. */
  readonly makesRules: (rollout: ObjectKey) => boolean;
}

export function createChainChecks(options: ChainChecksOptions): ChainBoard {
  const { monitoring, endpointOf, specs, suites, makesRules, clock } = options;
  return createChainBoard({
    ...options,
    check: async (order, signal) => {
      const { run, generation, weight } = order;
      const systems = monitoring.systemsOf(await prometheusOf(order, specs, endpointOf));
      const { namespace = '', name } = order.rollout.metadata;
      const isMade = makesRules({ namespace, name });
      const check = {
        run,
        generation,
        weight,
        atMs: clock.now(),
        makesRules: isMade,
        suites: suites.states(order.rollout, run.suites, parseStatus(order.rollout).runId),
      };
      return checkChain(systems, check, signal);
    },
  });
}

/** By the spec that the run follows, as its triggers are asked. */
async function prometheusOf(
  { rollout }: ChainOrder,
  specs: Specs,
  endpointOf: EndpointOf,
): ReturnType<EndpointOf> {
  const { namespace = '', name } = rollout.metadata;
  const key = { namespace, name };
  const recorded = specs.recorded(parseStatus(rollout).specRecord ?? '', key);
  const { spec } = recorded ?? specs.current(rollout, key);
  if (spec !== undefined) return endpointOf(namespace, spec);
  return { type: 'unresolved', message: 'the spec of this rollout cannot be read' };
}
