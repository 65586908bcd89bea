/** GenesisDecision: what one person decided about one run, applied once and kept. */
import { z } from 'zod';
import { limits } from './limits.ts';
import { metadataSchema } from './metadata.ts';
import { name, text } from './scalars.ts';
import { type CelRule, celList, type Plain, twins, withCel, withTwins } from './twin.ts';

export const decisionKinds = {
  Approve: 'Counts towards the quorum of `step`.',
  Reject: 'Refuses `step`: the rollout is held.',
  Promote: 'Ends the waiting of the current point; never a hold, a gate or a trigger.',
  Pause: 'Holds the schedule; watching goes on.',
  Resume: 'Takes a pause back.',
  Abort: 'Rolls back.',
  Extend: 'Moves `end` by `success.extendBy`.',
  Retry: 'Starts the run again after a rollback.',
  Acknowledge: 'Somebody looks at the trigger named in `step`.',
} as const;

export type DecisionKind = keyof typeof decisionKinds;

const kinds = Object.keys(decisionKinds) as readonly DecisionKind[];
const withStep: readonly DecisionKind[] = ['Approve', 'Reject', 'Acknowledge'];

const decisionSpecObject = z.object({
  rollout: name('The rollout, in the same namespace.'),
  revision: text(
    "The revision decided about; it counts for this revision's current run only.",
    limits.revisionLengthMax,
  ),
  runId: text('Narrows it to one try of the revision.', 64).optional(),
  decision: z.enum(kinds).describe('What was decided.'),
  step: name('For Approve and Reject the step; for Acknowledge the trigger.').optional(),
  by: text(
    "Who decides. A ValidatingAdmissionPolicy holds this to the caller's authenticated name.",
    512,
  ),
  reason: text('Why, for the account.', limits.textLengthMax).optional(),
  expiresAt: z.iso.datetime({ offset: true }).describe('Not applied after this time.').optional(),
});

export type DecisionSpec = Plain<z.output<typeof decisionSpecObject>>;

export const decisionTwins = twins<DecisionSpec>({
  name: 'decision-step',
  cel: {
    rule: `(self.decision in ${celList(withStep)}) == has(self.step)`,
    message: `step is required for ${withStep.join(', ')}, and only for them`,
    messageExpression: `'decision ' + self.decision + (has(self.step) ? ' has no step: leave step out' : self.decision == 'Acknowledge' ? ' needs step, the name of the trigger' : ' needs step, the name of the step')`,
  },
  check: ({ decision, step }) => {
    if (withStep.includes(decision) === (step !== undefined)) return [];
    const needed =
      decision === 'Acknowledge'
        ? 'needs step, the name of the trigger'
        : 'needs step, the name of the step';
    return [
      {
        path: ['step'],
        message: `decision ${decision} ${step === undefined ? needed : 'has no step: leave step out'}`,
      },
    ];
  },
});

const decisionImmutable: CelRule = {
  rule: 'self == oldSelf',
  message: 'a decision cannot be changed: make another one',
};

export const decisionSpecSchema = withCel(
  withTwins(decisionSpecObject, decisionTwins),
  decisionImmutable,
);

/** Loose, like the status of a rollout: a status write must never be refused. */
export const decisionStatusSchema = z.object({
  outcome: z.string().describe('Applied, Refused or Expired.').optional(),
  message: z.string().describe('Why, in a sentence.').optional(),
  runId: z.string().describe('The run it was applied to.').optional(),
  decidedAt: z.string().describe('When the operator applied or refused it.').optional(),
  observedGeneration: z.int().describe('The generation that was looked at.').optional(),
});

export const decisionSchema = z.object({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: metadataSchema,
  spec: decisionSpecSchema,
  status: decisionStatusSchema.optional(),
});

export type Decision = Plain<z.output<typeof decisionSchema>>;
export type DecisionStatus = Plain<z.output<typeof decisionStatusSchema>>;
