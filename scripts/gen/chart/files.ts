/** Every generated file of the Helm chart. */
import { stringify } from 'yaml';
import { authorPolicy, authorPolicyBinding } from '#api/author-policy.ts';
import { decisionPolicy, decisionPolicyBinding } from '#api/decision-policy.ts';
import { decisionCrd, rolloutCrd } from '../crd.ts';
import { operatorAlertsText } from '../mixin/alerts.ts';
import { operatorDashboardText } from '../mixin/dashboard.ts';
import { chartFacts, chartYaml } from './chart-yaml.ts';
import { valuesJsonSchema } from './describe-values.ts';
import { chartReadme } from './readme.ts';
import { valuesYaml } from './values-yaml.ts';

const chart = 'charts/genesis-rollout';

export const chartFiles = [
  { path: `${chart}/Chart.yaml`, text: () => chartYaml(chartFacts()) },
  { path: `${chart}/values.yaml`, text: valuesYaml },
  { path: `${chart}/values.schema.json`, text: () => json(valuesJsonSchema()) },
  { path: `${chart}/README.md`, text: () => chartReadme(chartFacts()) },
  { path: `${chart}/files/crds/genesisrollouts.yaml`, text: () => yaml(rolloutCrd()) },
  { path: `${chart}/files/crds/genesisdecisions.yaml`, text: () => yaml(decisionCrd()) },
  { path: `${chart}/files/alerts.yaml`, text: operatorAlertsText },
  { path: `${chart}/files/dashboard.json`, text: operatorDashboardText },
  {
    path: `${chart}/files/admission-policies.yaml`,
    text: () => yaml(decisionPolicy, decisionPolicyBinding, authorPolicy, authorPolicyBinding),
  },
];

function yaml(...objects: readonly object[]): string {
  const options = { lineWidth: 0, aliasDuplicateObjects: false };
  return objects.map((object) => stringify(object, options)).join('---\n');
}

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
