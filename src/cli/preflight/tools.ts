/** The operator's own readers and its own check, for one command. */
import type { PreflightTools } from '#cli/commands/preflight.ts';
import { createMonitoringSystems } from '#monitoring/monitoring-systems.ts';
import { silentLogger } from '#ports/logger.ts';
import { checkChain } from '#preflight/check-chain.ts';
import { createMetricSource } from '#prometheus/client.ts';
import { networkOf } from './network.ts';
import type { SystemsOptions } from './systems.ts';

const TIMEOUT_MS = 15_000;
const RESPONSE_BYTES_MAX = 100_000_000;
const CONCURRENCY_MAX = 4;
/** For the length of one check. */
const KEPT_MS = 60_000;

export const preflightTools: PreflightTools = {
  check: checkChain,
  openNetwork: networkOf,
  openReaders,
};

function openReaders(
  ...[clock, grafana]: Parameters<SystemsOptions['openReaders']>
): ReturnType<SystemsOptions['openReaders']> {
  const limits = { timeoutMs: TIMEOUT_MS, responseBytesMax: RESPONSE_BYTES_MAX };
  const source = createMetricSource({
    ...limits,
    clock,
    logger: silentLogger,
    concurrencyMax: CONCURRENCY_MAX,
    keepMs: KEPT_MS,
    listsKeptMs: KEPT_MS,
  });
  const monitoring = createMonitoringSystems({
    ...limits,
    source,
    clock,
    // A server may well be on this machine, behind `kubectl port-forward` for one.
    addressRules: { allowLoopback: true },
    alertmanager: () => undefined,
    grafana: () => grafana,
  });
  return {
    systemsOf: (prometheus) => monitoring.systemsOf(prometheus),
    close: async () => {
      await Promise.all([monitoring.close(), source.close()]);
    },
  };
}
