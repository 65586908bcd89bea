/** Every generated file of deploy/packs/genesis. */
import { packPrometheusRuleText, packRulesText } from './alerts.ts';
import { packConfigMapText, packDashboardText } from './dashboard.ts';
import { contractTable, contractText } from './metrics.ts';

const pack = 'deploy/packs/genesis';

export const packFiles = [
  { path: `${pack}/METRICS.md`, text: contractTable },
  { path: `${pack}/metrics.yaml`, text: contractText },
  { path: `${pack}/rules/alerts.yaml`, text: packRulesText },
  { path: `${pack}/manifests/prometheusrule.yaml`, text: packPrometheusRuleText },
  { path: `${pack}/dashboards/genesis-osworld-langmem.json`, text: packDashboardText },
  { path: `${pack}/manifests/dashboard.yaml`, text: packConfigMapText },
];
