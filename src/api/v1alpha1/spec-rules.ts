/** Rules that span parts of the spec, references apart (those are in references.ts). */
import type { RolloutSpec } from './spec.ts';
import { type CelRule, type Finding, twins } from './twin.ts';

const revisionMissing = 'revision is required without workload';
const servicesMissing = 'routes need traffic.stable and traffic.canary, unless workload is set';

export const specTwins = twins<RolloutSpec>(
  {
    name: 'revision-or-workload',
    cel: { rule: 'has(self.revision) || has(self.workload)', message: revisionMissing },
    check: ({ revision, workload }) =>
      revision !== undefined || workload !== undefined
        ? []
        : [{ path: ['revision'], message: revisionMissing }],
  },
  {
    name: 'routes-need-services',
    cel: {
      rule: 'has(self.workload) || !has(self.traffic.routes) || size(self.traffic.routes) == 0 || (has(self.traffic.stable) && has(self.traffic.canary))',
      message: servicesMissing,
      fieldPath: '.traffic',
    },
    check: ({ workload, traffic }) => {
      if (workload !== undefined || traffic.routes.length === 0) return [];
      const absent = (['stable', 'canary'] as const).filter((arm) => traffic[arm] === undefined);
      return absent.map((arm) => ({
        path: ['traffic', arm],
        message: `is required; ${servicesMissing}`,
      }));
    },
  },
  {
    name: 'sequential-metric-is-ratio',
    cel: {
      rule: "!has(self.triggers) || self.triggers.all(t, t.judge != 'Sequential' || !has(t.metric) || !has(self.analysis.metrics) || self.analysis.metrics.all(m, m.name != t.metric || has(m.ratio)))",
      message: 'judge Sequential needs a metric that is a ratio',
      messageExpression:
        "'judge Sequential needs a metric that is a ratio; it is a query in these triggers: %s'.format([self.triggers.filter(t, t.judge == 'Sequential' && has(t.metric) && self.analysis.metrics.exists(m, m.name == t.metric && !has(m.ratio))).map(t, t.name)])",
      fieldPath: '.triggers',
    },
    check: ({ triggers, analysis }) =>
      triggers.flatMap((trigger, index): readonly Finding[] => {
        const metric = analysis.metrics.find(({ name }) => name === trigger.metric);
        if (trigger.judge !== 'Sequential' || metric === undefined || metric.ratio !== undefined)
          return [];
        const message = `judge Sequential needs a metric that is a ratio; ${metric.name} is a query`;
        return [{ path: ['triggers', index, 'judge'], message }];
      }),
  },
);

/** A transition rule: only the API server sees the object before. */
export const workloadImmutable: CelRule = {
  rule: 'has(self.workload) == has(oldSelf.workload) && (!has(self.workload) || self.workload == oldSelf.workload)',
  message: 'workload is immutable: make another rollout for another workload',
  messageExpression:
    "'workload is immutable' + (has(oldSelf.workload) ? ': it is ' + oldSelf.workload.kind + ' ' + oldSelf.workload.name : ': it was not set') + '; make another rollout for another workload'",
  fieldPath: '.workload',
};
