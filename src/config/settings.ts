/**
 * Every setting of the controller: what it means, what is allowed, its default. The flags and the file of
 * `--config` are both read with this schema; docs/reference/flags.md is made from it.
 */
import { z } from 'zod';
import { formatDuration } from '#api/duration.ts';
import { namePattern, objectNamePattern, urlPattern } from '#api/scalars.ts';
import { defaultRunbookUrl } from '#dashboards/manifest.ts';
import { logLevels } from '#telemetry/log.ts';
import { addressForm, parseAddress } from './address.ts';
import { notificationsSchema } from './notifications.ts';
import { duration, file, whole } from './scalars.ts';
import { serverAccess, serverUrl } from './server-access.ts';

const address = (text: string, meaning: string) =>
  z
    .string()
    .default(text)
    .transform((value, context) => {
      const parsed = parseAddress(value);
      if (parsed !== undefined) return parsed;
      const message = `${JSON.stringify(value)} is no address; allowed are ${addressForm}`;
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    })
    .describe(meaning);

const clientSchema = z.strictObject({
  qps: whole(1, 10_000, 'Requests a second to the API server; only stops a runaway loop.').default(
    500,
  ),
  burst: whole(1, 100_000, 'Requests at once after a quiet time.').default(1_000),
});

/** How much longer than the retry period the renew deadline must be: standbys wait up to a fifth longer. */
const RETRY_SHARE = 1.2;

const leaseSchema = z
  .strictObject({
    name: z
      .string()
      .regex(objectNamePattern)
      .default('genesis-rollout')
      .describe('The name of the Lease.'),
    namespace: z
      .string()
      .regex(namePattern)
      .describe("Its namespace; by default the pod's own (POD_NAMESPACE), else `default`.")
      .optional(),
    duration: duration('15s', 'How long a Lease is good for without renewal.'),
    renewDeadline: duration('10s', 'How long the leader tries to renew it before it stops.'),
    retryPeriod: duration('2s', 'How often it is renewed or looked at.'),
  })
  .superRefine(({ duration: lasts, renewDeadline, retryPeriod }, context) => {
    const refuse = (field: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [field], message });
    const deadline = formatDuration(renewDeadline);
    if (lasts <= renewDeadline) {
      refuse('duration', `${formatDuration(lasts)} must be longer than renewDeadline, ${deadline}`);
    }
    if (renewDeadline <= retryPeriod * RETRY_SHARE) {
      const words = `must be longer than ${RETRY_SHARE} times retryPeriod, ${formatDuration(retryPeriod)}`;
      refuse('renewDeadline', `${deadline} ${words}`);
    }
  });

const limitsSchema = z.strictObject({
  queryTimeout: duration('5s', 'One query, from asking to answer, waiting included.'),
  queriesAtOnce: whole(1, 1_000, 'Queries under way at once, per Prometheus.').default(64),
  responseBytes: whole(
    1_024,
    2 ** 30,
    'The largest answer of Prometheus that is read, in bytes.',
  ).default(16 * 2 ** 20),
});

const labelName =
  /^([a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?[/])?[A-Za-z0-9]([-_.A-Za-z0-9]{0,61}[A-Za-z0-9])?$/;
const labelValue = /^([A-Za-z0-9]([-_.A-Za-z0-9]{0,61}[A-Za-z0-9])?)?$/;

const monitoringSchema = z.strictObject({
  prometheusRules: z
    .boolean()
    .default(true)
    .describe('Makes a PrometheusRule for each rollout, where the API server knows the kind.'),
  serviceMonitors: z
    .boolean()
    .default(true)
    .describe('Makes a ServiceMonitor for each rollout that asks for one, likewise.'),
  dashboards: z
    .boolean()
    .default(true)
    .describe('Makes a ConfigMap with a Grafana dashboard for each rollout.'),
  labels: z
    .record(z.string().regex(labelName), z.string().regex(labelValue))
    .default({})
    .describe('Put on all of them: what your Prometheus and Grafana select by.'),
  runbookUrl: z
    .string()
    .regex(urlPattern)
    .default(defaultRunbookUrl)
    .describe('Where the runbooks stand that alerts lead to.'),
});

export const settingsSchema = z.strictObject({
  kubeconfig: file(
    'A kubeconfig. Without it: KUBECONFIG, ~/.kube/config, then the service account of the pod.',
  ).optional(),
  namespace: z
    .array(z.string().regex(namePattern))
    .max(256)
    .default([])
    .describe('Namespaces to look after, separated by commas; none means all.'),
  prometheusUrl: serverUrl('prometheus')
    .describe('The Prometheus of rollouts that name none themselves.')
    .optional(),
  alertmanagerUrl: serverUrl('alertmanager')
    .describe(
      'The Alertmanager in which preflight looks for receivers; without it, those to which Prometheus sends.',
    )
    .optional(),
  grafanaUrl: serverUrl('grafana')
    .describe('The Grafana in which preflight looks at dashboards.')
    .optional(),
  metricsAddress: address(':8080', 'Where `/metrics` is served.'),
  healthAddress: address(
    ':8081',
    'Where `/healthz` and `/readyz` are served; may be the same address.',
  ),
  concurrency: whole(1, 4096, 'Rollouts looked at side by side.').default(1024),
  leaderElect: z
    .boolean()
    .default(true)
    .describe('Whether a Lease decides which of several processes acts.'),
  allowLoopbackUrls: z
    .boolean()
    .default(false)
    .describe(
      "Whether probes, health suites and Alertmanagers that a Prometheus names may be on the operator's own loopback. For tests and demos.",
    ),
  logLevel: z.enum(logLevels).default('info').describe('The least level that is logged.'),
  evidenceDir: file(
    'A directory for snapshots and reports, for clusters with very many rollouts; without it they are in ConfigMaps that the rollouts own.',
  ).optional(),
  prometheus: serverAccess()
    .describe(
      'How the operator itself is known to prometheusUrl. Files are read anew within a minute.',
    )
    .prefault({}),
  alertmanager: serverAccess().describe('The same for alertmanagerUrl.').prefault({}),
  grafana: serverAccess()
    .describe('The same for grafanaUrl: the token of a service account that may view.')
    .prefault({}),
  client: clientSchema.describe('The client of the API server.').prefault({}),
  lease: leaseSchema.describe('Leader election.').prefault({}),
  limits: limitsSchema.describe('Limits of queries.').prefault({}),
  monitoring: monitoringSchema
    .describe('What is made for each rollout, for people who watch it.')
    .prefault({}),
  notifications: notificationsSchema
    .describe('Telling people; see docs/notifications.md.')
    .prefault({}),
});

export type Settings = z.output<typeof settingsSchema>;
