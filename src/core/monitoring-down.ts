/** How long Alertmanager or Grafana was down, as the checks of the chain have seen it: two writes for each outage. */
import type { RolloutStatus } from '#api/status.ts';
import { type ChainFacts, reportOf } from './chain-report.ts';
import { fromIso, toIso } from './time.ts';

/** @returns the status with `monitoringDownSince` while one is down, and `monitoringDownMs` grown when none is any more */
export function withDownTime(facts: ChainFacts): RolloutStatus {
  const { status } = facts;
  const report = reportOf(facts);
  if (report === undefined) return status;
  const { alertmanager, grafana } = report.health;
  const isDown = alertmanager.state === 'Down' || grafana.state === 'Down';
  const { monitoringDownSince, ...rest } = status;
  if (isDown) {
    if (monitoringDownSince !== undefined) return status;
    return { ...status, monitoringDownSince: toIso(report.checkedAtMs) };
  }
  if (monitoringDownSince === undefined) return status;
  const tookMs = Math.max(0, report.checkedAtMs - fromIso(monitoringDownSince));
  return { ...rest, monitoringDownMs: (status.monitoringDownMs ?? 0) + tookMs };
}

/** All of it in the window of the criteria, ms. */
export function downTimeMs(
  { monitoringDownMs = 0, monitoringDownSince }: RolloutStatus,
  now: number,
): number {
  const currentMs = monitoringDownSince === undefined ? 0 : now - fromIso(monitoringDownSince);
  return monitoringDownMs + Math.max(0, currentMs);
}
