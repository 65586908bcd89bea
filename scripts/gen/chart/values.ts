/**
 * Every value of the Helm chart: what it means, what is allowed, its default. values.yaml, values.schema.json and the table in
 * the chart's README are made from it, so none of the three can say something else than the others.
 */
import { z } from 'zod';
import { kubeName, kubeObject, textMap } from './shapes.ts';
import { configSchema } from './values-config.ts';
import { metricsSchema } from './values-metrics.ts';
import { podShape } from './values-pod.ts';
import { rbacSchema, serviceAccountSchema } from './values-rights.ts';

const text = (fallback: string, meaning: string) => z.string().default(fallback).describe(meaning);

const globalSchema = z
  .looseObject({
    imageRegistry: text('', 'Takes the place of `image.registry` in this chart and its parents.'),
    imagePullSecrets: z
      .array(z.union([z.string(), z.strictObject({ name: kubeName })]))
      .default([])
      .describe('Names of Secrets for pulling the image, beside `imagePullSecrets`.'),
  })
  .prefault({})
  .describe('Shared with a parent chart.');

const imageSchema = z
  .strictObject({
    registry: text('ghcr.io', 'Where the image is pulled from; empty for what the node takes.'),
    repository: z
      .string()
      .min(1)
      .default('genesis-rollout/genesis-rollout')
      .describe('Its name there.'),
    tag: text('', "Default: the chart's `appVersion`."),
    digest: z
      .string()
      .regex(/^(sha256:[0-9a-f]{64})?$/)
      .default('')
      .describe('`sha256:…`: wins over the tag.'),
    pullPolicy: z
      .enum(['IfNotPresent', 'Always', 'Never'])
      .default('IfNotPresent')
      .describe('When the node pulls it.'),
  })
  .prefault({})
  .describe('The image of the operator.');

const crdsSchema = z
  .strictObject({
    install: z
      .boolean()
      .default(true)
      .describe(
        'Installs and upgrades the CRDs. Off where somebody else does, and for a second operator in a cluster.',
      ),
    keep: z
      .boolean()
      .default(true)
      .describe('`helm uninstall` leaves the CRDs, and with them every rollout, in the cluster.'),
    annotations: textMap('More annotations of the CRDs.'),
  })
  .prefault({})
  .describe('The custom resource definitions.');

const admissionPoliciesSchema = z
  .strictObject({
    enabled: z
      .boolean()
      .default(true)
      .describe('Without them no approval counts. Off for a second operator in a cluster.'),
  })
  .prefault({})
  .describe('The ValidatingAdmissionPolicies that hold decisions to who makes them.');

const disruptionSchema = z
  .strictObject({
    enabled: z.boolean().default(true).describe('Made where there is more than one replica.'),
    minAvailable: countOrShare('How many stay, or a percentage.'),
    maxUnavailable: countOrShare('How many may go; in place of `minAvailable`. Default: 1.'),
    unhealthyPodEvictionPolicy: z
      .enum(['IfHealthyBudget', 'AlwaysAllow'])
      .default('AlwaysAllow')
      .describe('Whether a pod that is not Ready may be evicted.'),
  })
  .prefault({})
  .describe('How many pods a drain may take at once.');

const networkPolicySchema = z
  .strictObject({
    enabled: z
      .boolean()
      .default(false)
      .describe(
        'Only ingress to the ports below, and egress to DNS, the API server and the ports of `config.prometheusUrl`, `config.alertmanagerUrl` and `config.grafanaUrl`.',
      ),
    metricsFrom: z.array(kubeObject).default([]).describe('Peers that may scrape; empty for all.'),
    apiServerPorts: z
      .array(z.int().min(1).max(65_535))
      .default([443, 6443])
      .describe('Ports of the API server.'),
    extraEgress: z
      .array(kubeObject)
      .default([])
      .describe('More egress rules: other Prometheis, URLs of probes and health suites.'),
  })
  .prefault({})
  .describe('A NetworkPolicy of the pods.');

export const valuesSchema = z.strictObject({
  global: globalSchema,
  nameOverride: text('', "Takes the place of the chart's name in names of objects."),
  fullnameOverride: text(
    '',
    "The whole name of objects. Default: the release, with the chart's name.",
  ),
  commonLabels: textMap('Labels of every object.'),
  commonAnnotations: textMap('Annotations of every object.'),
  image: imageSchema,
  imagePullSecrets: z
    .array(z.strictObject({ name: kubeName }))
    .default([])
    .describe('`{name}` of Secrets for pulling the image.'),
  replicas: z
    .int()
    .min(0)
    .max(9)
    .default(2)
    .describe('One leads, the others stand by and take over.'),
  leaderElection: z
    .strictObject({
      enabled: z.boolean().default(true).describe('Off only with one replica.'),
    })
    .prefault({})
    .describe('Which of the replicas acts. Its times are `config.lease`.'),
  watchNamespaces: z
    .array(kubeName)
    .max(256)
    .default([])
    .describe(
      'Namespaces to look after, each with a Role instead of the ClusterRole; empty for all.',
    ),
  config: configSchema,
  crds: crdsSchema,
  admissionPolicies: admissionPoliciesSchema,
  rbac: rbacSchema,
  serviceAccount: serviceAccountSchema,
  ...podShape,
  podDisruptionBudget: disruptionSchema,
  metrics: metricsSchema,
  networkPolicy: networkPolicySchema,
  tests: z
    .strictObject({
      enabled: z
        .boolean()
        .default(true)
        .describe('A pod of the same image that asks the service for its metrics.'),
    })
    .prefault({})
    .describe('What `helm test` runs.'),
  extraObjects: z
    .array(z.union([z.string(), kubeObject]))
    .default([])
    .describe('More objects, as maps or as text; templates in them are filled in.'),
});

function countOrShare(meaning: string) {
  return z
    .union([z.int().min(0), z.string().regex(/^([0-9]+%?)?$/)])
    .default('')
    .describe(meaning);
}
