/** One arm of a rollout in a cluster: a Service with one pod behind it, which KWOK makes Ready. */
import type { KubeObject } from '#scripts/testbed/index.ts';

export function armObjects(namespace: string, name: string, port = 80): KubeObject[] {
  const labels = { app: name };
  const template = { metadata: { labels }, spec: { containers: [{ name: 'app', image: 'app' }] } };
  return [
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name, namespace },
      spec: { replicas: 1, selector: { matchLabels: labels }, template },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace },
      spec: { selector: labels, ports: [{ port }] },
    },
  ];
}
