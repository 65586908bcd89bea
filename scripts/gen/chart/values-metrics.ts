/** Values about how the operator itself is watched. */
import { z } from 'zod';
import { flag, kubeObject, kubeObjects, text, textMap } from './shapes.ts';

const duration = (fallback: string, meaning: string) =>
  z
    .string()
    .regex(/^(([0-9]+(ms|s|m|h))+)?$/)
    .default(fallback)
    .describe(meaning);

const serviceSchema = z
  .strictObject({
    enabled: flag(true, 'Makes the Service.'),
    port: z.int().min(1).max(65_535).default(8080).describe('Its port.'),
    annotations: textMap('Its annotations.'),
    labels: textMap('More labels of it.'),
  })
  .prefault({})
  .describe('The Service of `/metrics`.');

const serviceMonitorSchema = z
  .strictObject({
    enabled: flag(false, 'Makes it; needs the CRDs of the Prometheus Operator.'),
    additionalLabels: textMap(
      'What your Prometheus selects by: `release: <its release>` with kube-prometheus-stack.',
    ),
    interval: duration('15s', 'How often it is scraped.'),
    scrapeTimeout: duration('', 'How long a scrape may take.'),
    relabelings: kubeObjects('Relabelings of the target.'),
    metricRelabelings: kubeObjects('Relabelings of the samples.'),
  })
  .prefault({})
  .describe('A ServiceMonitor of the Prometheus Operator.');

const prometheusRuleSchema = z
  .strictObject({
    enabled: flag(false, 'Makes it; needs the CRDs of the Prometheus Operator.'),
    additionalLabels: textMap('What your Prometheus selects by.'),
    alertLabels: textMap('More labels of every alert.'),
    runbookUrl: text(
      '',
      "Where runbooks stand: the alert's name in lower case is added. Default: those of docs/runbooks.",
    ),
    disabled: z
      .record(z.string(), z.boolean())
      .default({})
      .describe('Alerts to leave out: `GenesisTrafficDrift: true`.'),
    extraRules: z.array(kubeObject).default([]).describe('More rules of the group.'),
  })
  .prefault({})
  .describe("The operator's own alerts, as a PrometheusRule.");

const dashboardsSchema = z
  .strictObject({
    enabled: flag(false, 'Makes the ConfigMap.'),
    label: text('grafana_dashboard', "The label that Grafana's sidecar looks for."),
    labelValue: text('1', 'Its value.'),
    annotations: textMap('Annotations, such as `grafana_folder: Genesis`.'),
    namespace: text('', 'Its namespace. Default: that of the release.'),
  })
  .prefault({})
  .describe('The Grafana dashboard, as a ConfigMap.');

export const metricsSchema = z
  .strictObject({
    service: serviceSchema,
    serviceMonitor: serviceMonitorSchema,
    prometheusRule: prometheusRuleSchema,
    dashboards: dashboardsSchema,
  })
  .prefault({})
  .describe('How the operator itself is watched.');
