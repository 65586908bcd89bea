/** What the newest check of the metric chain has found: links by verdict, when it was made, and which systems answer. */
import { type Family, sample } from './series-family.ts';

/** Their order is that of the chain; counts of 0 are left out, so that a series is there while something is so. */
export const chainFamilies: readonly Family[] = [
  {
    name: 'genesis_monitoring_up',
    samples: ({ isPrometheusUp, seen: { chain } }) => {
      const asked = isPrometheusUp ?? isUp(chain?.health.prometheus);
      const systems = [
        ['prometheus', asked],
        ['alertmanager', isUp(chain?.health.alertmanager)],
        ['grafana', isUp(chain?.health.grafana)],
      ] as const;
      return systems.flatMap(([system, up]) =>
        up === undefined ? [] : [sample([['system', system]], up ? 1 : 0)],
      );
    },
  },
  {
    name: 'genesis_chain_links',
    samples: ({ seen: { chain } }) =>
      [...countsOf(chain?.findings ?? [])].map(([, { link, verdict, count }]) =>
        sample(
          [
            ['link', link],
            ['verdict', verdict],
          ],
          count,
        ),
      ),
  },
  {
    name: 'genesis_chain_check_timestamp_seconds',
    samples: ({ seen: { chain } }) => (chain === undefined ? [] : [['', chain.checkedAtMs / 1000]]),
  },
];

interface Count {
  readonly link: string;
  readonly verdict: string;
  count: number;
}

function countsOf(
  findings: readonly { readonly link: string; readonly verdict: string }[],
): ReadonlyMap<string, Count> {
  const counts = new Map<string, Count>();
  for (const { link, verdict } of findings) {
    const known = counts.get(`${link} ${verdict}`);
    if (known === undefined) counts.set(`${link} ${verdict}`, { link, verdict, count: 1 });
    else known.count += 1;
  }
  return counts;
}

/** One that is not configured has no series. */
function isUp(health: { readonly state: string } | undefined): boolean | undefined {
  return health === undefined || health.state === 'NotConfigured'
    ? undefined
    : health.state === 'Up';
}
