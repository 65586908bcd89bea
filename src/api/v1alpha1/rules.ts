/** Every rule that is more than the form of one field, by name: for the reference, and for the test that tries each. */
import { headerTwins, metricTwins, prometheusTwins } from './analysis.ts';
import { decisionTwins } from './decision.ts';
import { healthSuiteTwins } from './health-suite.ts';
import { conditionTwins, templateTwins } from './measure.ts';
import { operatorRules } from './operator-rules.ts';
import { referenceTwins } from './references.ts';
import { durationTwins } from './scalars.ts';
import { scheduleTwins } from './schedule.ts';
import { specTwins } from './spec-rules.ts';
import { criterionTwins } from './success.ts';
import { featureFlagTwins, routeTwins, trafficTwins } from './traffic.ts';
import { rungTwins, triggerTwins } from './trigger.ts';

export interface Rule {
  /** `admission`: the API server and the operator. `operator`: the operator alone. */
  readonly by: 'admission' | 'operator';
  readonly name: string;
  /** Where it stands. */
  readonly at: string;
  /** What is said when it is broken, without the figures. */
  readonly message: string;
}

const places = {
  spec: [...specTwins, ...referenceTwins],
  'spec.traffic': trafficTwins,
  'spec.traffic.routes[]': routeTwins,
  'spec.traffic.featureFlag': featureFlagTwins,
  'spec.schedule': scheduleTwins,
  'spec.analysis.prometheus': prometheusTwins,
  'spec.analysis.prometheus.headers[]': headerTwins,
  'spec.analysis.metrics[]': metricTwins,
  'spec.triggers[]': triggerTwins,
  'spec.triggers[].onFiring[]': rungTwins,
  'spec.healthSuites[]': healthSuiteTwins,
  'spec.success.criteria[], spec.rollback.baseline[]': criterionTwins,
  'every query and matcher': templateTwins,
  'every condition': conditionTwins,
  'intervals, timeouts and the SLA': durationTwins('1s'),
} as const;

export const rolloutRules: readonly Rule[] = [
  ...rulesOf(places),
  ...operatorRules.map(({ name, message }) => ({
    by: 'operator' as const,
    name,
    at: 'spec',
    message,
  })),
];
export const decisionRules: readonly Rule[] = rulesOf({ spec: decisionTwins });

interface Named {
  readonly name: string;
  readonly cel: { readonly message: string };
}

function rulesOf(places: Readonly<Record<string, readonly Named[]>>): readonly Rule[] {
  return Object.entries(places).flatMap(([at, twins]) =>
    twins.map(({ name, cel }) => ({ by: 'admission' as const, name, at, message: cel.message })),
  );
}
