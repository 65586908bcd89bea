/** The operator's own dashboard: deploy/mixin, and a copy in the chart. */
import { type Dashboard, dashboardJson } from '#dashboards/grafana.ts';
import { rows } from './panels.ts';

export const operatorDashboard: Dashboard = {
  uid: 'genesis-rollout',
  title: 'Genesis Rollout',
  description: 'Rollouts, what is watched meanwhile, and how the operator itself is.',
  tags: ['genesis', 'rollout'],
  shows: '6h',
  variables: [
    {
      name: 'namespace',
      label: 'Namespace',
      query: 'label_values(genesis_rollout_phase, namespace)',
    },
    {
      name: 'rollout',
      label: 'Rollout',
      query: 'label_values(genesis_rollout_phase{namespace=~"$namespace"}, rollout)',
    },
  ],
  annotations: [
    {
      name: 'Weight',
      color: 'blue',
      expr: 'changes(genesis_rollout_weight_ratio{namespace=~"$namespace",rollout=~"$rollout"}[1m]) > 0',
      title: 'weight of {{namespace}}/{{rollout}} changed',
    },
  ],
  rows,
};

export function operatorDashboardText(): string {
  return `${JSON.stringify(dashboardJson(operatorDashboard), undefined, 2)}\n`;
}
