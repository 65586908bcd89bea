/** Values about the pods: where they run, with what, and under which restrictions. */
import { z } from 'zod';
import { flag, kubeName, kubeObject, kubeObjects, text, textMap } from './shapes.ts';

const port = (fallback: number, meaning: string) =>
  z.int().min(1024).max(65_535).default(fallback).describe(meaning);

const kubeField = (fallback: Record<string, unknown>, meaning: string) =>
  kubeObject.default(fallback).describe(meaning);

const probe = (fallback: Record<string, number>, meaning: string) =>
  kubeField(fallback, `${meaning} Fields of a probe beside \`httpGet\`.`);

const secretMount = z.strictObject({
  name: kubeName.describe('The Secret, in the namespace of the release.'),
  mountPath: z.string().startsWith('/').describe('The directory in which its keys become files.'),
  optional: z.boolean().optional().describe('Whether the pod starts without it.'),
});

const portsSchema = z
  .strictObject({
    metrics: port(8080, '`/metrics`.'),
    health: port(8081, '`/healthz` and `/readyz`.'),
  })
  .prefault({})
  .describe('Ports of the container.');

const placement = {
  priorityClassName: text(
    '',
    'A PriorityClass, such as `system-cluster-critical`: a rollback must not wait for a node.',
  ),
  nodeSelector: textMap('Labels of the nodes to run on.'),
  tolerations: kubeObjects('Taints of nodes that do not matter.'),
  affinity: kubeField({}, 'Affinity of the pods.'),
  topologySpreadConstraints: z
    .array(kubeObject)
    .default([
      {
        maxSkew: 1,
        topologyKey: 'kubernetes.io/hostname',
        whenUnsatisfiable: 'ScheduleAnyway',
      },
    ])
    .describe('How the pods are spread; without a `labelSelector` it is that of these pods.'),
  hostAliases: kubeObjects('More lines of `/etc/hosts`.'),
};

const additions = {
  extraArgs: z.array(z.string()).default([]).describe('More flags; see docs/reference/flags.md.'),
  extraEnv: kubeObjects('More environment variables.'),
  extraEnvFrom: kubeObjects('ConfigMaps and Secrets whose keys become environment variables.'),
  extraVolumes: kubeObjects('More volumes.'),
  extraVolumeMounts: kubeObjects('Where they are mounted.'),
  extraContainers: kubeObjects('More containers of the pod.'),
  initContainers: kubeObjects('Containers that run before.'),
};

export const podShape = {
  secretMounts: z
    .array(secretMount)
    .default([])
    .describe(
      'Secrets as files, for the fields of `config` that name one: `{name, mountPath, optional}`.',
    ),
  notifications: z
    .strictObject({
      secretName: text('', 'A Secret whose keys become files in `/etc/genesis/notifications`.'),
    })
    .prefault({})
    .describe(
      'Credentials of notification channels as files. Secrets that `config.notifications` names need nothing here.',
    ),
  ports: portsSchema,
  resources: kubeField(
    { requests: { cpu: '100m', memory: '192Mi' }, limits: { memory: '512Mi' } },
    'What 1,000 rollouts need, and some more; see docs/performance.md.',
  ),
  podSecurityContext: kubeField(
    {
      runAsNonRoot: true,
      runAsUser: 65_532,
      runAsGroup: 65_532,
      fsGroup: 65_532,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    'The pod security standard `restricted`.',
  ),
  securityContext: kubeField(
    {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
    'The same, of the container.',
  ),
  livenessProbe: probe(
    { initialDelaySeconds: 10, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 3 },
    'When it is started anew.',
  ),
  readinessProbe: probe(
    { periodSeconds: 5, timeoutSeconds: 5, failureThreshold: 3 },
    'When it is ready.',
  ),
  terminationGracePeriodSeconds: z
    .int()
    .min(0)
    .default(40)
    .describe('Longer than the controller takes to finish what it does and give its lease back.'),
  updateStrategy: kubeField(
    { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
    'Leader election makes it safe that an old and a new pod run side by side; without it the old one ends first (`Recreate`).',
  ),
  revisionHistoryLimit: z.int().min(0).default(3).describe('Old ReplicaSets that are kept.'),
  podLabels: textMap('More labels of the pods.'),
  podAnnotations: textMap('Annotations of the pods.'),
  deploymentAnnotations: textMap('Annotations of the Deployment.'),
  ...placement,
  ...additions,
  hostNetwork: flag(false, "Whether the pods use the node's network."),
};
