/** Alerts as Alertmanager's API v2 has them. */
import type { FiredAlert } from '#ports/monitoring-systems.ts';

export const alertsPath = '/api/v2/alerts';

export function toWire({ labels, annotations, startsAtMs, endsAtMs }: FiredAlert): object {
  return {
    labels,
    annotations,
    startsAt: new Date(startsAtMs).toISOString(),
    ...(endsAtMs === undefined ? {} : { endsAt: new Date(endsAtMs).toISOString() }),
  };
}
