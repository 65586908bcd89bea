/** `spec.schedule`: which share of traffic canary gets when, what is checked on the way, and when nothing may rise. */
import { z } from 'zod';
import { defaults } from './defaults.ts';
import { duration, parseDuration } from './duration.ts';
import { limits } from './limits.ts';
import { count, cronPattern, keyedList, name, setOf, text } from './scalars.ts';
import { celIsDuration, type Finding, type Plain, twins, withTwins } from './twin.ts';

export const checkpointRequirements = [
  'Preflight',
  'SuccessCriteria',
  'HealthSuites',
  'NoFiringTriggers',
] as const;

const approvalSchema = z
  .object({
    quorum: count('How many distinct people must approve.', 1, limits.approvalQuorumMax).default(
      defaults.approval.quorum,
    ),
    notBy: z
      .enum(['Author'])
      .describe('`Author`: whoever last changed the spec cannot approve it.')
      .optional(),
    expiresAfter: duration(
      'How long to wait for the approval, from when the step is due. Without it: for ever.',
    ).optional(),
    onExpiry: z
      .enum(['Hold', 'Rollback'])
      .describe('What follows when nobody approved in time.')
      .default(defaults.approval.onExpiry),
  })
  .describe('A human must approve before this weight is set.');

const stepSchema = z.object({
  name: name('Unique among the steps.'),
  at: duration('When it is due, from the start of the run.'),
  weight: z
    .int()
    .min(0)
    .max(100)
    .describe("Canary's share of traffic in percent. It may rise or stay; the last is 100."),
  approval: approvalSchema.optional(),
});

const checkpointSchema = z.object({
  name: name('Unique among the checkpoints.'),
  at: duration('When it is due, from the start of the run.'),
  require: setOf(z.enum(checkpointRequirements), checkpointRequirements.length, 1).describe(
    'What must be so to pass.',
  ),
  onFailure: z
    .enum(['Hold', 'Rollback'])
    .describe('What follows when it is not so.')
    .default(defaults.checkpoint.onFailure),
});

const freezeSchema = z.object({
  name: name('Unique among the freezes.'),
  cron: z
    .string()
    .regex(cronPattern)
    .max(128)
    .describe('When the window opens: minute, hour, day of month, month, day of week.'),
  duration: duration('How long it stays closed to rises, in elapsed time.'),
  timeZone: text('IANA name of the time zone that `cron` is read in.', 64).default(
    defaults.freeze.timeZone,
  ),
  reason: text('Why, for people.').optional(),
});

const scheduleObject = z
  .object({
    steps: keyedList(stepSchema, 'name', limits.stepsMax, 1).describe(
      'The weights, in order of time. They may rise or stay; the last is 100.',
    ),
    checkpoints: keyedList(checkpointSchema, 'name', limits.checkpointsMax)
      .describe('What must be so at a given time for the rollout to go on.')
      .default([]),
    end: duration('When the success criteria are judged, from the start of the run.'),
    freeze: keyedList(freezeSchema, 'name', limits.freezesMax)
      .describe(
        'Windows in which no weight rises and nothing is promoted. Rollback is never frozen.',
      )
      .default([]),
  })
  .describe(
    'The plan. Without it the 48-hour plan applies as a whole; with it nothing of that plan leaks in.',
  );

export type Schedule = Plain<z.output<typeof scheduleObject>>;
export type Step = Schedule['steps'][number];
export type Approval = NonNullable<Step['approval']>;
export type Checkpoint = Schedule['checkpoints'][number];
export type CheckpointRequirement = (typeof checkpointRequirements)[number];
export type Freeze = Schedule['freeze'][number];

export const scheduleTwins = twins<Schedule>(
  {
    name: 'step-weights-rise',
    cel: {
      rule: 'self.steps.map(s, s.weight).isSorted()',
      message: 'weights may rise or stay from step to step, never fall',
      messageExpression:
        "'weights may rise or stay from step to step, never fall; they are %s'.format([self.steps.map(s, s.weight)])",
      fieldPath: '.steps',
    },
    check: ({ steps }) =>
      falls(steps, (step) => step.weight).map(({ index, item, before }) => ({
        path: ['steps', index, 'weight'],
        message: `weight ${item.weight} falls below the ${before.weight} of step ${before.name}; weights may rise or stay`,
      })),
  },
  {
    name: 'step-times-rise',
    cel: {
      rule: `!self.steps.all(s, ${celIsDuration('s.at')}) || self.steps.map(s, duration(s.at)).isSorted()`,
      message: 'steps must stand in order of time',
      messageExpression:
        "'steps must stand in order of time; they are due at %s'.format([self.steps.map(s, s.at)])",
      fieldPath: '.steps',
    },
    check: ({ steps }) =>
      falls(steps, (step) => parseDuration(step.at)).map(({ index, item, before }) => ({
        path: ['steps', index, 'at'],
        message: `${item.at} is before ${before.at}, when step ${before.name} is due; steps must stand in order of time`,
      })),
  },
  {
    name: 'last-step-is-100',
    cel: {
      rule: 'size(self.steps) == 0 || self.steps[size(self.steps) - 1].weight == 100',
      message: 'the weight of the last step must be 100',
      messageExpression:
        "'the weight of the last step must be 100; it is %d'.format([self.steps[size(self.steps) - 1].weight])",
      fieldPath: '.steps',
    },
    check: ({ steps }) => {
      const last = steps.at(-1);
      if (last === undefined || last.weight === 100) return [];
      const message = `the weight of the last step must be 100; it is ${last.weight}`;
      return [{ path: ['steps', steps.length - 1, 'weight'], message }];
    },
  },
  {
    name: 'end-after-last-step',
    cel: {
      rule: `!${celIsDuration('self.end')} || self.steps.all(s, !${celIsDuration('s.at')} || duration(s.at) <= duration(self.end))`,
      message: 'end must not be before the last step',
      messageExpression:
        "'end must not be before the last step; it is %s, and these steps are later: %s'.format([self.end, self.steps.filter(s, duration(s.at) > duration(self.end)).map(s, s.name)])",
      fieldPath: '.end',
    },
    check: ({ steps, end }) => {
      const late = steps.findLast((step) => parseDuration(step.at) > parseDuration(end));
      if (late === undefined) return [];
      return [
        {
          path: ['end'],
          message: `end is ${end}, before step ${late.name}, which is due at ${late.at}`,
        },
      ];
    },
  },
  {
    name: 'end-after-start',
    cel: {
      rule: `!${celIsDuration('self.end')} || duration(self.end) > duration('0s')`,
      message: 'end must be later than the start, so more than 0s',
      fieldPath: '.end',
    },
    check: ({ end }) =>
      parseDuration(end) > 0
        ? []
        : [
            {
              path: ['end'],
              message: 'end must be later than the start, so more than 0s',
            },
          ],
  },
  {
    name: 'checkpoints-before-end',
    cel: {
      rule: `!has(self.checkpoints) || !${celIsDuration('self.end')} || self.checkpoints.all(c, !${celIsDuration('c.at')} || duration(c.at) <= duration(self.end))`,
      message: 'checkpoints must not be after end',
      messageExpression:
        "'checkpoints must not be after end, which is %s; late are %s'.format([self.end, self.checkpoints.filter(c, duration(c.at) > duration(self.end)).map(c, c.name)])",
      fieldPath: '.checkpoints',
    },
    check: ({ checkpoints, end }) =>
      checkpoints.flatMap((checkpoint, index): Finding[] =>
        parseDuration(checkpoint.at) <= parseDuration(end)
          ? []
          : [
              {
                path: ['checkpoints', index, 'at'],
                message: `${checkpoint.at} is after end, which is ${end}`,
              },
            ],
      ),
  },
  {
    name: 'freeze-lasts',
    cel: {
      rule: `!has(self.freeze) || self.freeze.all(f, !${celIsDuration('f.duration')} || duration(f.duration) > duration('0s'))`,
      message: 'the duration of a freeze must be more than 0s',
      messageExpression:
        "'the duration of a freeze must be more than 0s; it is not in %s'.format([self.freeze.filter(f, duration(f.duration) <= duration('0s')).map(f, f.name)])",
      fieldPath: '.freeze',
    },
    check: ({ freeze }) =>
      freeze.flatMap((window, index): Finding[] =>
        parseDuration(window.duration) > 0
          ? []
          : [
              {
                path: ['freeze', index, 'duration'],
                message: 'must be more than 0s',
              },
            ],
      ),
  },
);

export const scheduleSchema = withTwins(scheduleObject, scheduleTwins);

/** The items that stand below the one before them, by some measure. */
function falls<T>(items: readonly T[], measure: (item: T) => number) {
  return items.flatMap((item, index) => {
    const before = items[index - 1];
    return before !== undefined && measure(item) < measure(before) ? [{ index, item, before }] : [];
  });
}
