/**
 * The testbed's library: a real cluster on this machine, without Docker.
 *
 *   import { startControlPlane } from '#scripts/testbed/index.ts';
 *   const plane = await startControlPlane({ crds: ['crds'], auditPolicy: 'Metadata', users: [{ name: 'eve' }] });
 *   plane.kubeconfigPath;                          // admin; plane.tokens['eve'], plane.kubeconfigFor('eve')
 *   await plane.client.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'one' } });
 *   await plane.stop();                            // also happens by itself when this process ends, kill -9 included
 *
 * On the shell: `npm run testbed -- exec CMD` or `npm run testbed -- up`.
 */

export { type Alertmanager, type AlertmanagerOptions, startAlertmanager } from './alertmanager.ts';
export {
  ApiClient,
  conditionIs,
  type KubeObject,
  type ObjectReference,
  readManifest,
} from './api-client.ts';
export { type Argocd, argocdNamespace, prepareArgocd, startArgocd } from './argocd.ts';
export { type AuditEvent, countRequests, readAudit } from './audit.ts';
export { type BuildOptions, toolPath } from './build.ts';
export { type ControlPlane, type ControlPlaneOptions, startControlPlane } from './control-plane.ts';
export type { TestbedUser } from './credentials.ts';
export { connectTo } from './existing-cluster.ts';
export {
  applyBackendService,
  type Backend,
  type Gateway,
  prepareGateway,
  startGateway,
} from './gateway.ts';
export { kwokNode, podFateLabel } from './kwok.ts';
export { gatewayApiCrds, kwokStages, prometheusOperatorCrds } from './manifests.ts';
export { isInNamespace, isInNodeNamespace, runInNamespace } from './namespace.ts';
export { prepareNode, startNode, type WholeNode } from './node/node.ts';
export { type Part, type PartOptions, startPart, withFreePorts } from './part.ts';
export { freePorts } from './ports.ts';
export { childrenOf, isAlive } from './process-table.ts';
export {
  type Prometheus,
  type PrometheusOptions,
  type Sample,
  type ScrapeJob,
  startPrometheus,
} from './prometheus.ts';
export { createRunFolder, type RunFolder } from './run-folder.ts';
export { type ToolName, tools } from './versions.ts';
