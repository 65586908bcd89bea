/** The PrometheusRule that the operator makes of the triggers: Prometheus takes only those that its selectors name. */
import type { RunSpec } from '#core/run-spec.ts';
import { advice, brokenIn, type Draft, fine } from './finding.ts';
import type { Questions } from './questions.ts';
import { ruleState } from './recording-rule.ts';

export async function ownRules(asked: Questions, run: RunSpec): Promise<readonly Draft[]> {
  const told = await asked.rules();
  if (told.type !== 'told') return [];
  const { namespace, rollout } = run.placeholders;
  const group = `genesis-rollout/${namespace}/${rollout}`;
  const place = { link: 'rule', subject: `rule group ${group}` } as const;
  const rules = told.value.filter((rule) => rule.group === group);
  if (rules.length === 0) {
    return [
      advice(place, {
        cause: 'ruleMissing',
        message: `Prometheus has not loaded the PrometheusRule of rollout ${namespace}/${rollout}, so its alerts call nobody`,
        mend: "Give the operator's manifests the labels that ruleSelector of the Prometheus object wants, and have ruleNamespaceSelector select the namespace.",
      }),
    ];
  }
  const bad = brokenIn(rules.map((rule) => ruleState(asked, rule)));
  return [
    bad === undefined
      ? fine(place, `${rules.length} alerts of the triggers are loaded`)
      : { ...bad, verdict: 'advice' },
  ];
}
