/** Reports of the metric chain in every situation that the page of `kubectl genesis preflight` has to explain. */

import type { Hold } from '#api/status.ts';
import type { ServiceState } from '#cli/preflight/services.ts';
import type { ChainFinding, ChainLink, ChainReport } from '#core/chain.ts';

export interface ReportWorld {
  readonly report: ChainReport;
  readonly weight: number;
  readonly phase: string;
  readonly holds: readonly Hold[];
}

const T0 = Date.UTC(2026, 10, 22, 12);
const errors = 'http_requests_total{service="new",code=~"5.."}';

function fine(of: string, link: ChainLink, message: string): ChainFinding {
  return { link, of, subject: message, verdict: 'fine', message };
}

function chainOf(of: string): ChainFinding[] {
  return [
    fine(of, 'metric', `metric ${errors} has series`),
    fine(of, 'label', `the labels of ${errors} select series`),
    fine(of, 'target', 'job checkout, instance 10.0.0.7:8080 exports it and is up'),
    fine(of, 'scrape', '99.98 % of the scrapes of the last hour were good'),
    fine(of, 'sample', 'the newest sample is 7s old'),
    fine(of, 'value', 'the query gives 0.0008'),
  ];
}

const systems: readonly ChainFinding[] = [
  fine('alert rule CheckoutErrors', 'rule', 'rule CheckoutErrors is loaded and evaluated'),
  fine('alert rule CheckoutErrors', 'receiver', 'Alertmanager sends it to people'),
];

const up: ChainReport['health'] = {
  prometheus: { state: 'Up' },
  alertmanager: { state: 'Up' },
  grafana: { state: 'NotConfigured' },
};

const neverExisted: ChainFinding = {
  link: 'metric',
  of: 'trigger error-rate',
  subject: 'http_request_total',
  verdict: 'broken',
  cause: 'neverExisted',
  message: 'no series of http_request_total has existed in the last 14 days',
  mend: 'Correct the name: http_requests_total exists, and is alike.',
};

function world(
  findings: readonly ChainFinding[],
  more: Partial<Omit<ReportWorld, 'report'>> & Partial<Pick<ChainReport, 'health'>> = {},
): ReportWorld {
  const { health = up, weight = 0, phase = 'Progressing', holds = [] } = more;
  const report = { checkedAtMs: T0, generation: 3, findings, health };
  return { report, weight, phase, holds };
}

export const services: readonly ServiceState[] = [
  { arm: 'stable', name: 'old', ready: { type: 'known', count: 3 } },
  { arm: 'canary', name: 'new', ready: { type: 'known', count: 0 } },
];

/** By the name of the golden file. */
export const reportWorlds: Readonly<Record<string, ReportWorld>> = {
  'all-fine': world([...chainOf('trigger error-rate'), ...systems], { weight: 50 }),
  'without-traffic': world([
    ...chainOf('trigger error-rate').slice(0, 5),
    {
      link: 'value',
      of: 'trigger error-rate',
      subject: 'error-rate',
      verdict: 'noTrafficExpected',
      message: 'no traffic is expected at weight 0',
    },
  ]),
  broken: world(
    [
      neverExisted,
      ...chainOf('criterion p95'),
      {
        link: 'panel',
        of: 'dashboard checkout',
        subject: 'Errors',
        verdict: 'broken',
        cause: 'panelEmpty',
        message: 'panel Errors of dashboard checkout has shown nothing for 2m',
        mend: 'Open the panel and run its query: its variables may select nothing.',
      },
    ],
    {
      phase: 'Preflight',
      holds: [
        {
          reason: 'ChainBroken',
          by: 'error-rate',
          since: '2026-11-22T11:58:00Z',
          message: 'trigger error-rate: no series of http_request_total has ever existed',
        },
      ],
    },
  ),
  'cannot-be-told': world(
    [
      ...chainOf('trigger error-rate').slice(0, 2),
      {
        link: 'target',
        of: 'trigger error-rate',
        subject: errors,
        verdict: 'cannotTell',
        message: 'which target exports it cannot be told: this server scrapes nothing itself',
      },
      {
        link: 'receiver',
        of: 'trigger error-rate',
        subject: 'people',
        verdict: 'advice',
        cause: 'nobodyTold',
        message: 'receiver null has no integration, so that nobody is told',
        mend: 'Give the receiver an integration.',
      },
    ],
    {
      phase: 'Held',
      holds: [
        {
          reason: 'PrometheusDown',
          by: 'error-rate',
          since: '2026-11-22T11:58:00Z',
          message: 'Prometheus at http://prometheus.monitoring.svc:9090 did not answer within 5 s',
        },
      ],
    },
  ),
  'nothing-to-check': world([]),
  'prometheus-down': world(
    [
      {
        link: 'prometheus',
        of: 'every query',
        subject: 'http://prometheus.monitoring.svc:9090',
        verdict: 'broken',
        cause: 'unreachable',
        message: 'Prometheus does not answer: connect ECONNREFUSED \u001b[31m10.0.0.1\u001b[0m',
        mend: 'See that Prometheus runs.',
      },
    ],
    { health: { ...up, prometheus: { state: 'Down', message: 'connect ECONNREFUSED' } } },
  ),
};
