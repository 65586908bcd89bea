/** Holds that say something of the metric chain, which `kubectl genesis preflight` looks into. */
import type { Hold } from '#api/status.ts';

const OF_CHAIN: readonly string[] = [
  'ChainBroken',
  'ChainSuspected',
  'ChainNotChecked',
  'PrometheusDown',
  'BadQuery',
  'NoTraffic',
  'TriggerUnknown',
  'NoData',
  'CriteriaUnknown',
  'ClockSkew',
];

/** Before the first step everything that holds is a matter of preflight. */
export function isOfChain({ reason, links }: Hold, phase: string | undefined): boolean {
  return phase === 'Preflight' || links !== undefined || OF_CHAIN.includes(reason);
}
