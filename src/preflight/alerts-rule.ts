/** A count of alerts is 0 also where no rule could ever fire: that one can is proved by the rules that are loaded. */
import type { LoadedRule } from '#ports/monitoring-systems.ts';
import { advice, broken, counted, type Draft, fine, listed, notTold } from './finding.ts';
import type { Questions } from './questions.ts';
import { ruleState } from './recording-rule.ts';
import { maySelect, type Selector, selectorText } from './selectors.ts';

export async function alertsRule(asked: Questions, selector: Selector): Promise<readonly Draft[]> {
  const subject = selectorText(selector);
  const place = { link: 'rule', subject } as const;
  const told = await asked.rules();
  if (told.type !== 'told') return [notTold(place, `whether a rule can fire as ${subject}`, told)];
  const alerting = told.value.filter(({ type }) => type === 'alerting');
  const able = alerting.filter((rule) => canFireAs(rule, selector));
  if (able.length === 0) {
    return [
      broken(place, {
        cause: 'ruleMissing',
        message: `none of ${counted(alerting.length, 'alert rule')} that Prometheus has loaded can fire as ${subject}`,
        mend: 'Correct the matchers, or have Prometheus load the rule that is meant: its file must be in rule_files, a PrometheusRule must match ruleSelector.',
      }),
    ];
  }
  const states = able.map((rule) => ruleState(asked, rule));
  const bad = states.filter(({ verdict }) => verdict === 'broken');
  const names = listed([...new Set(able.map(({ name }) => name))], 3);
  if (bad.length === able.length) return bad.slice(0, 1);
  return [
    fine(place, `${counted(able.length - bad.length, 'rule')} can fire as ${subject}: ${names}`),
    ...bad
      .slice(0, 3)
      .flatMap(({ cause, message, mend }) =>
        cause === undefined || mend === undefined ? [] : [advice(place, { cause, message, mend })],
      ),
  ];
}

/** A label that the rule does not set may come from the series that it finds. */
function canFireAs({ name, labels }: LoadedRule, { metric, matchers }: Selector): boolean {
  const others = matchers.filter(({ label }) => label !== 'alertstate');
  return maySelect({ metric, matchers: others }, { ...labels, alertname: name });
}
