/** Values about what the operator may do in the cluster, and as whom. */
import { z } from 'zod';
import { flag, kubeObjects, text, textMap } from './shapes.ts';

const allowSchema = z
  .strictObject({
    secrets: flag(
      true,
      '`get` Secrets, never list them: credentials of a Prometheus that a rollout names itself.',
    ),
    jobs: flag(true, 'Create Jobs: hooks of a rollback and health suites.'),
    podLogs: flag(
      true,
      'With `jobs`: `get` logs of pods, for health suites whose result is JUnit XML on the log.',
    ),
    restarts: flag(
      true,
      'Patch Deployments, StatefulSets and DaemonSets: restarts with a feature flag.',
    ),
    monitoring: flag(
      true,
      'Make PrometheusRules and ServiceMonitors for rollouts, where the cluster has them.',
    ),
  })
  .prefault({})
  .describe('Rights that only some rollouts need; without one, what needs it is refused.');

export const rbacSchema = z
  .strictObject({
    create: flag(true, 'Makes the roles and bindings of the operator.'),
    allow: allowSchema,
    secretNames: z
      .array(z.string())
      .default([])
      .describe('The only Secrets that may be read; empty for any that a rollout names.'),
    clusterReads: flag(
      true,
      'With `watchNamespaces`: a ClusterRole to read the one CRD and the one admission policy by name. Without it no approval counts.',
    ),
    extraRules: kubeObjects('More rules of the operator, where it watches.'),
    aggregateRoles: flag(
      true,
      'ClusterRoles for people: view and edit become part of the roles `view`, `edit` and `admin`; approve and author are to be bound.',
    ),
  })
  .prefault({})
  .describe('Role-based access control.');

export const serviceAccountSchema = z
  .strictObject({
    create: flag(true, 'Makes the ServiceAccount.'),
    name: text('', 'Its name. Default: the full name of the release.'),
    annotations: textMap('Its annotations.'),
  })
  .prefault({})
  .describe('Who the operator is.');
