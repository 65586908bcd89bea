/** The scenario file: a rollout, what the world does to it, and what is expected to follow. docs/simulate.md explains it. */
import { z } from 'zod';
import { durationPattern, durationSchema } from '#api/duration.ts';
import { instantSchema, momentSchema } from './moment.ts';

const text = z.string().min(1);
const percent = z.int().min(0).max(100);

/** What an entry of `series` says the values of; exactly one of them. */
export const seriesSubjects = ['series', 'metric', 'trigger', 'criterion', 'probe'] as const;

const seriesSchema = exactlyOne(
  z.strictObject({
    series: text
      .describe('A series as Prometheus writes it: `errors_total{code="500"}`.')
      .optional(),
    metric: text.describe('A metric of `analysis.metrics`, without PromQL.').optional(),
    trigger: text.describe('A trigger with a query or ratio of its own.').optional(),
    criterion: text.describe('A success or baseline criterion with a query of its own.').optional(),
    probe: text.describe('A trigger with a probe: 1 is up, 0 is down.').optional(),
    arm: z.enum(['canary', 'stable']).describe('Whose value; default: canary.').optional(),
    values: text.describe("Samples in promtool's notation, one an interval."),
  }),
  seriesSubjects,
);

const suiteRunSchema = z.strictObject({
  at: momentSchema.describe('Runs that finish from then on end like this.'),
  total: z.int().min(0).default(20),
  skipped: z.int().min(0).default(0),
  failures: z.array(text).describe('The names of the tests that fail.').default([]),
  error: text.describe('The suite could not be run at all, and why.').optional(),
});

const suiteSchema = z.strictObject({
  suite: text,
  takes: durationSchema.default('30s'),
  results: z.array(suiteRunSchema).min(1),
});

const jobSchema = z.strictObject({
  stage: text.describe('The hooks of this stage of the rollback.'),
  takes: durationSchema.default('0s'),
  error: text.describe('Its Jobs fail, and why.').optional(),
});

const decideSchema = z.strictObject({
  decision: z.enum([
    'Approve',
    'Reject',
    'Promote',
    'Pause',
    'Resume',
    'Abort',
    'Extend',
    'Retry',
    'Acknowledge',
  ]),
  by: text,
  step: text.optional(),
  reason: text.optional(),
  revision: text.describe('Default: the revision of the rollout at that time.').optional(),
  expiresAt: momentSchema.optional(),
});

const routeSchema = z.strictObject({
  name: text.describe('Default: the only route, or the first.').optional(),
  weight: percent.describe("Another writer sets canary's share.").optional(),
  by: text.describe('That writer.').default('argocd'),
  accepted: z.boolean().describe('Whether its gateway accepts it.').optional(),
  missing: z.boolean().describe('Whether it is gone.').optional(),
});

const readySchema = z.strictObject({
  stable: z.int().min(0).optional(),
  canary: z.int().min(0).optional(),
});

/** What a thing of `at` does; exactly one of them. */
export const thingKinds = [
  'request',
  'decide',
  'patch',
  'paused',
  'delete',
  'prometheus',
  'api',
  'operator',
  'ready',
  'route',
  'skew',
] as const;

/** Those that must say for how long. */
const OUTAGES = ['prometheus', 'api', 'operator'] as const;
const LASTING: readonly string[] = [...OUTAGES, 'ready', 'route', 'skew'];

const thingSchema = exactlyOne(
  z.strictObject({
    at: momentSchema,
    request: text
      .describe('The annotation genesis.dev/request: `pause`, `resume tok1`.')
      .optional(),
    decide: decideSchema.describe('A GenesisDecision.').optional(),
    patch: z.record(z.string(), z.unknown()).describe('A merge patch of the spec.').optional(),
    paused: z.boolean().describe('Sets spec.paused.').optional(),
    delete: z.literal(true).describe('Deletes the rollout.').optional(),
    prometheus: z.enum(['down', 'slow', 'partial', 'refusing', 'empty']).optional(),
    api: z.enum(['conflict', 'down']).describe('How writes to the API server end.').optional(),
    operator: z.enum(['down']).describe('No process of the operator runs.').optional(),
    ready: readySchema.describe('Ready endpoints.').optional(),
    route: routeSchema.optional(),
    skew: z
      .string()
      .regex(new RegExp(`^-?${durationPattern.source.slice(1)}`))
      .describe("How far Prometheus' clock is ahead of the operator's; may be negative.")
      .optional(),
    for: durationSchema
      .describe('For how long; without it, until something else is said.')
      .optional(),
  }),
  thingKinds,
).superRefine((thing, context) => {
  const kind = thingKinds.find((one) => thing[one] !== undefined);
  if (OUTAGES.some((one) => one === kind) && thing.for === undefined) {
    context.addIssue({ code: 'custom', path: ['for'], message: `is required with ${kind}` });
  }
  if (thing.for !== undefined && kind !== undefined && !LASTING.includes(kind)) {
    const message = `means nothing with ${kind}; it goes with ${LASTING.join(', ')}`;
    context.addIssue({ code: 'custom', path: ['for'], message });
  }
});

/** What a line of `expect` is about; exactly one of them. `by` and `state` go with some. */
export const expectKinds = [
  'phase',
  'step',
  'weight',
  'passed',
  'hold',
  'released',
  'trigger',
  'event',
  'stage',
  'suite',
  'decision',
  'report',
] as const;

export const expectSchema = exactlyOne(
  z.strictObject({
    at: momentSchema,
    phase: text.optional(),
    step: text.describe('The step that becomes the current one.').optional(),
    weight: percent.describe("Canary's share as the routes say it.").optional(),
    passed: text.describe('A step, checkpoint or `end`.').optional(),
    hold: text.describe('The reason of a hold that begins.').optional(),
    released: text.describe('The reason of a hold that ends.').optional(),
    trigger: text.optional(),
    event: text.describe('The reason of an event.').optional(),
    stage: text.describe('A stage of the rollback.').optional(),
    suite: text.describe('A health suite that is run.').optional(),
    decision: text.describe("A decision's kind, settled.").optional(),
    report: text.describe('A report that is written: of which outcome.').optional(),
    state: text
      .describe("The trigger's new state, the stage's or the decision's outcome.")
      .optional(),
    by: text.describe('What holds.').optional(),
  }),
  expectKinds,
);

export const finalSchema = z.strictObject({
  phase: text.optional(),
  step: text.optional(),
  weight: percent.optional(),
  firing: z.array(text).describe('Triggers that fire at the end.').optional(),
  holds: z.array(text).describe('Reasons of the holds at the end.').optional(),
  outcome: text
    .describe("The rollback's outcome, or that of the newest run in history.")
    .optional(),
  withinSla: z.boolean().optional(),
});

export const scenarioSchema = z
  .strictObject({
    scenario: text.describe('What happens, in a sentence.').optional(),
    rollout: z.record(z.string(), z.unknown()).describe('The GenesisRollout.').optional(),
    rolloutFile: text.describe('Or the file it stands in, from here.').optional(),
    rolloutPatch: z
      .record(z.string(), z.unknown())
      .describe('A merge patch of the rollout before it is created.')
      .optional(),
    start: instantSchema.default('2026-01-05T08:00:00Z'),
    duration: durationSchema.optional(),
    until: momentSchema.optional(),
    history: durationSchema.describe('How long before the start the series begin.').default('0s'),
    interval: durationSchema.describe('The distance of samples in `series`.').default('15s'),
    series: z.array(seriesSchema).default([]),
    others: z
      .enum(['healthy', 'absent'])
      .describe('What is answered for measures that `series` says nothing of.')
      .optional(),
    suites: z.array(suiteSchema).default([]),
    jobs: z.array(jobSchema).describe('How the hooks of a rollback go.').default([]),
    ready: readySchema.default({}),
    weight: percent.describe("Canary's share on every route before the run.").default(0),
    author: text.describe('The annotation genesis.dev/author: who made the change.').optional(),
    approvals: z
      .enum(['enforced', 'missing'])
      .describe('Whether the policy that holds decisions to their authors is there.')
      .default('enforced'),
    at: z.array(thingSchema).default([]),
    expect: z.array(expectSchema).optional(),
    complete: z
      .union([z.boolean(), z.array(z.enum(expectKinds))])
      .describe('Kinds of which nothing but what `expect` says may happen; true: all.')
      .default(false),
    final: finalSchema.optional(),
  })
  .superRefine((scenario, context) => {
    const both = (a: 'rollout' | 'duration', b: 'rolloutFile' | 'until', isNeeded: boolean) => {
      if (scenario[a] !== undefined && scenario[b] !== undefined) {
        context.addIssue({
          code: 'custom',
          path: [b],
          message: `stands beside ${a}; leave one out`,
        });
      } else if (isNeeded && scenario[a] === undefined && scenario[b] === undefined) {
        context.addIssue({ code: 'custom', path: [a], message: `is required, or ${b}` });
      }
    };
    both('rollout', 'rolloutFile', true);
    both('duration', 'until', false);
  });

export type ScenarioInput = z.output<typeof scenarioSchema>;
export type SeriesInput = z.output<typeof seriesSchema>;
export type JobInput = z.output<typeof jobSchema>;
export type SuiteInput = z.output<typeof suiteSchema>;
export type Thing = z.output<typeof thingSchema>;
export type ExpectLine = z.output<typeof expectSchema>;
export type ExpectKind = (typeof expectKinds)[number];
export type FinalInput = z.output<typeof finalSchema>;

/** Of several optional fields exactly one must be there. */
function exactlyOne<T extends z.ZodObject>(schema: T, fields: readonly string[]) {
  return schema.superRefine((value, context) => {
    const given = fields.filter((field) => Reflect.get(value, field) !== undefined);
    if (given.length === 1) return;
    const what = given.length === 0 ? 'has none' : `has ${given.join(' and ')}`;
    const message = `needs exactly one of ${fields.join(', ')}, and ${what}`;
    context.addIssue({ code: 'custom', message });
  });
}
