/** `spec.triggers[]`: a condition that must hold for a time, and the ladder of what follows when it has. */
import { z } from 'zod';
import { defaults } from './defaults.ts';
import { duration } from './duration.ts';
import { limits } from './limits.ts';
import {
  condition,
  exactlyOneCel,
  exactlyOneFinding,
  query,
  ratioSchema,
  template,
} from './measure.ts';
import { builtInTriggers } from './names.ts';
import { atomicList, name, text, url } from './scalars.ts';
import { celList, type Plain, twins, withTwins } from './twin.ts';

export const severities = ['Critical', 'Warning', 'Info'] as const;
export const rungActions = ['Notify', 'Hold', 'RunSuite', 'Rollback', 'Continue'] as const;
export const rungConditions = [
  'Worsening',
  'Improving',
  'Steady',
  'NewFailures',
  'KnownFlakyOnly',
] as const;
export const suiteMeasures = ['PassRate', 'Failed', 'NewFailures', 'KnownFlaky'] as const;

const ofSuites = ['NewFailures', 'KnownFlakyOnly'] as const;
const sources = ['metric', 'query', 'ratio', 'suite', 'probe', 'alerts'] as const;

const rungObject = z.object({
  action: z
    .enum(rungActions)
    .describe(
      'What is done. Of several due at once the most protective wins: Rollback, Hold, RunSuite, Notify, Continue.',
    ),
  after: duration('How long after the trigger fired. Without it: at once.').optional(),
  when: z
    .enum(rungConditions)
    .describe('Only if the trend or the finding of the suite is this.')
    .optional(),
  suite: name('The health suite to run, for RunSuite.').optional(),
});

export type Rung = Plain<z.output<typeof rungObject>>;

export const rungTwins = twins<Rung>({
  name: 'rung-suite',
  cel: {
    rule: "(self.action == 'RunSuite') == has(self.suite)",
    message: 'action RunSuite needs suite, and no other action has one',
    messageExpression:
      "'action ' + self.action + (self.action == 'RunSuite' ? ' needs suite, the name of a health suite' : ' has no suite: leave suite out')",
  },
  check: ({ action, suite }) => {
    if ((action === 'RunSuite') === (suite !== undefined)) return [];
    const message = `action ${action} ${action === 'RunSuite' ? 'needs suite, the name of a health suite' : 'has no suite: leave suite out'}`;
    return [{ path: ['suite'], message }];
  },
});

const triggerObject = z.object({
  name: name('Unique among the triggers.'),
  severity: z
    .enum(severities)
    .describe(
      'Decides the defaults of `noData`, `onFiring` and `respondWithin`. No weight rises while a Critical trigger is not Inactive.',
    ),
  metric: name('The name of a metric in `analysis.metrics`.').optional(),
  query: query('PromQL that gives one series, in base units.').optional(),
  ratio: ratioSchema.optional(),
  suite: name('The name of a health suite; what of it is compared, `measure` says.').optional(),
  measure: z
    .enum(suiteMeasures)
    .describe('What of the suite is compared. Default: PassRate.')
    .optional(),
  probe: z
    .object({
      url: url('Asked with GET at every evaluation.'),
      expectStatus: z
        .int()
        .min(100)
        .max(599)
        .describe('The status code that counts as up.')
        .default(defaults.trigger.expectStatus),
    })
    .describe('Asks a URL: 1 is up, 0 is down.')
    .optional(),
  alerts: z
    .object({
      matchers: atomicList(
        template(
          'A matcher such as `severity="critical"`; placeholders are allowed.',
          limits.textLengthMax,
        ),
        limits.matchersMax,
        1,
      ).describe('Alertmanager matchers; all must match.'),
    })
    .describe('How many alerts fire.')
    .optional(),
  condition: condition('The breach: `"> 0.5%"`, `"> 500ms"`, `"< 95%"`. Equal is not over.'),
  for: duration('How long it must hold, as in a Prometheus alert.').default(defaults.trigger.for),
  keepFiringFor: duration('How long it goes on firing after the condition is false.').default(
    defaults.trigger.keepFiringFor,
  ),
  noData: z
    .enum(['Hold', 'Ignore', 'Breach'])
    .describe('What follows without data. Default: Critical → Hold, else Ignore.')
    .optional(),
  noDataFor: duration('How long without data until it follows.').default(
    defaults.trigger.noDataFor,
  ),
  compareWithStable: z
    .object({
      holdFor: duration(
        'How long to hold and page when stable breaches too, before the ladder begins.',
      ).default(defaults.trigger.compareWithStableHoldFor),
    })
    .describe('Tells an incident of the whole service from a fault of the canary.')
    .optional(),
  judge: z
    .enum(['Threshold', 'Sequential'])
    .describe(
      '`Threshold`: the literal rule. `Sequential`: an anytime-valid test on the counts of a ratio.',
    )
    .default(defaults.trigger.judge),
  onFiring: atomicList(withTwins(rungObject, rungTwins), limits.rungsMax, 1)
    .describe(
      'The ladder of responses. Default: Critical → Rollback; Warning → Hold, Notify; Info → Notify.',
    )
    .optional(),
  respondWithin: duration(
    'When nobody has acknowledged or decided by then, the release owner is paged. Default: 30m for Warning.',
  ).optional(),
  responder: text('Who is called, see notifications.', 253).optional(),
  runbookUrl: url('Where it is written what to do.').optional(),
});

export type Trigger = Plain<z.output<typeof triggerObject>>;
export type Severity = (typeof severities)[number];

export const triggerTwins = twins<Trigger>(
  {
    name: 'trigger-one-source',
    cel: exactlyOneCel(sources),
    check: (trigger) => exactlyOneFinding(trigger, sources),
  },
  {
    name: 'trigger-name-free',
    cel: {
      rule: `!(self.name in ${celList(builtInTriggers)})`,
      message: `the names ${builtInTriggers.join(' and ')} belong to the built-in triggers`,
      messageExpression: `'the name ' + self.name + ' belongs to a built-in trigger, as do all of ${builtInTriggers.join(', ')}'`,
      fieldPath: '.name',
    },
    check: ({ name }) =>
      builtInTriggers.every((taken) => taken !== name)
        ? []
        : [
            {
              path: ['name'],
              message: `the name ${name} belongs to a built-in trigger, as do all of ${builtInTriggers.join(', ')}`,
            },
          ],
  },
  {
    name: 'measure-of-suite',
    cel: {
      rule: '!has(self.measure) || has(self.suite)',
      message: 'measure is for triggers with suite only',
      messageExpression: "'measure ' + self.measure + ' is for triggers with suite only'",
      fieldPath: '.measure',
    },
    check: ({ measure, suite }) =>
      measure === undefined || suite !== undefined
        ? []
        : [
            {
              path: ['measure'],
              message: `measure ${measure} is for triggers with suite only`,
            },
          ],
  },
  {
    name: 'compare-needs-arm',
    cel: {
      rule: '!has(self.compareWithStable) || has(self.metric) || has(self.query) || has(self.ratio)',
      message:
        'compareWithStable needs metric, query or ratio: suites, probes and alerts have no stable to compare with',
      fieldPath: '.compareWithStable',
    },
    check: ({ compareWithStable, metric, query, ratio }) =>
      compareWithStable === undefined ||
      metric !== undefined ||
      query !== undefined ||
      ratio !== undefined
        ? []
        : [
            {
              path: ['compareWithStable'],
              message:
                'compareWithStable needs metric, query or ratio: suites, probes and alerts have no stable to compare with',
            },
          ],
  },
  {
    name: 'sequential-needs-counts',
    cel: {
      rule: "self.judge != 'Sequential' || has(self.ratio) || has(self.metric)",
      message: 'judge Sequential needs ratio, or a metric that is a ratio',
      fieldPath: '.judge',
    },
    check: ({ judge, ratio, metric }) =>
      judge !== 'Sequential' || ratio !== undefined || metric !== undefined
        ? []
        : [
            {
              path: ['judge'],
              message: 'judge Sequential needs ratio, or a metric that is a ratio',
            },
          ],
  },
  {
    name: 'findings-need-suite',
    cel: {
      rule: `!has(self.onFiring) || has(self.suite) || self.onFiring.exists(r, r.action == 'RunSuite') || !self.onFiring.exists(r, has(r.when) && r.when in ${celList(ofSuites)})`,
      message: `when ${ofSuites.join(' and ')} need a suite: the trigger's own, or a rung with action RunSuite`,
      fieldPath: '.onFiring',
    },
    check: ({ suite, onFiring = [] }) => {
      if (suite !== undefined || onFiring.some((rung) => rung.action === 'RunSuite')) return [];
      return onFiring.flatMap((rung, index) =>
        ofSuites.some((finding) => finding === rung.when)
          ? [
              {
                path: ['onFiring', index, 'when'],
                message: `when ${rung.when} needs a suite: the trigger's own, or a rung with action RunSuite`,
              },
            ]
          : [],
      );
    },
  },
);

export const triggerSchema = withTwins(triggerObject, triggerTwins);

export const canaryDownSchema = z
  .object({
    for: duration('How long no endpoint must have been Ready.').default(defaults.canaryDown.for),
    action: z
      .enum(['Rollback', 'Hold'])
      .describe('What follows.')
      .default(defaults.canaryDown.action),
  })
  .describe(
    'The built-in trigger for a canary without Ready endpoints while its weight is above 0: pods that crash export nothing.',
  );

export type CanaryDown = Plain<z.output<typeof canaryDownSchema>>;
