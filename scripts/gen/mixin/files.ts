/** deploy/mixin: what the operator itself is watched with, for those who do not use the chart. */
import { operatorAlertsText } from './alerts.ts';
import { operatorDashboardText } from './dashboard.ts';

export const mixinFiles = [
  { path: 'deploy/mixin/alerts.yaml', text: operatorAlertsText },
  { path: 'deploy/mixin/dashboards/genesis-rollout.json', text: operatorDashboardText },
];
