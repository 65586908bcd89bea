/** `spec.analysis`: how often triggers are evaluated, which Prometheus is asked, and the named metrics. */
import { z } from 'zod';
import { defaults } from './defaults.ts';
import { duration } from './duration.ts';
import { limits } from './limits.ts';
import { exactlyOneCel, exactlyOneFinding, query, ratioSchema } from './measure.ts';
import { atLeast, keyedList, name, secretKey, text, url } from './scalars.ts';
import { type Plain, twins, withTwins } from './twin.ts';

const headerObject = z.object({
  name: z
    .string()
    .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/)
    .max(128)
    .describe('The name of the header.'),
  value: text('Its value.', 2048).optional(),
  valueFrom: secretKey('A Secret that holds its value.').optional(),
});

export type Header = Plain<z.output<typeof headerObject>>;

export const headerTwins = twins<Header>({
  name: 'header-one-value',
  cel: exactlyOneCel(['value', 'valueFrom']),
  check: (header) => exactlyOneFinding(header, ['value', 'valueFrom']),
});

const tlsSchema = z.object({
  ca: secretKey('The certificate authority of the server, PEM.').optional(),
  cert: secretKey('The client certificate, PEM.').optional(),
  key: secretKey('The key of the client certificate, PEM.').optional(),
  serverName: text('The name that the certificate of the server must have.', 253).optional(),
  insecureSkipVerify: z
    .boolean()
    .describe('Accepts any certificate. For tests only.')
    .default(false),
});

const prometheusObject = z.object({
  url: url(
    'Where Prometheus, Thanos, Mimir or VictoriaMetrics answers `/api/v1/query`.',
  ).optional(),
  headers: keyedList(withTwins(headerObject, headerTwins), 'name', limits.headersMax)
    .describe('Sent with every query, such as X-Scope-OrgID.')
    .default([]),
  basicAuth: z
    .object({ username: secretKey('The user name.'), password: secretKey('The password.') })
    .describe('Basic authentication, from Secrets.')
    .optional(),
  bearerToken: secretKey('A Secret that holds the bearer token.').optional(),
  tls: tlsSchema.describe('TLS, from Secrets.').optional(),
});

export type PrometheusSpec = Plain<z.output<typeof prometheusObject>>;

export const prometheusTwins = twins<PrometheusSpec>(
  {
    name: 'one-authentication',
    cel: {
      rule: '!has(self.basicAuth) || !has(self.bearerToken)',
      message: 'set at most one of basicAuth, bearerToken; both are set',
    },
    check: ({ basicAuth, bearerToken }) =>
      basicAuth === undefined || bearerToken === undefined
        ? []
        : [{ path: [], message: 'set at most one of basicAuth, bearerToken; both are set' }],
  },
  {
    name: 'cert-with-key',
    cel: {
      rule: '!has(self.tls) || has(self.tls.cert) == has(self.tls.key)',
      message: 'cert and key go together; only one of them is set',
      fieldPath: '.tls',
    },
    check: ({ tls }) =>
      tls === undefined || (tls.cert === undefined) === (tls.key === undefined)
        ? []
        : [{ path: ['tls'], message: 'cert and key go together; only one of them is set' }],
  },
);

const metricObject = z.object({
  name: name('Unique among the metrics.'),
  query: query('PromQL that gives one series, in base units: ratios, seconds, bytes.').optional(),
  ratio: ratioSchema.optional(),
  series: z
    .record(z.string(), text('The value of the label; placeholders are allowed.', 253))
    .meta({ maxProperties: limits.seriesLabelsMax })
    .describe(
      'Picks one series of the answer by its labels, so that one query can serve many rollouts.',
    )
    .optional(),
});

export type Metric = Plain<z.output<typeof metricObject>>;
export type Ratio = NonNullable<Metric['ratio']>;

export const metricTwins = twins<Metric>({
  name: 'metric-one-source',
  cel: exactlyOneCel(['query', 'ratio']),
  check: (metric) => exactlyOneFinding(metric, ['query', 'ratio']),
});

export const analysisSchema = z
  .object({
    interval: atLeast('1s', duration('How often triggers are evaluated.')).default(
      defaults.analysis.interval,
    ),
    offset: duration('How far behind now, where recording rules lag.').default(
      defaults.analysis.offset,
    ),
    prometheus: withTwins(prometheusObject, prometheusTwins)
      .describe("Which Prometheus to ask. Without it: the operator's own setting.")
      .optional(),
    metrics: keyedList(withTwins(metricObject, metricTwins), 'name', limits.metricsMax)
      .describe('Named metrics, for triggers and criteria.')
      .default([]),
  })
  .describe('How the canary is measured.');

export type Analysis = Plain<z.output<typeof analysisSchema>>;
