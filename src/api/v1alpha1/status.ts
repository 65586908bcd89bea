/**
 * The status of a GenesisRollout. The schema is deliberately loose (no enum, pattern or maxItems): a
 * tightened rule must never refuse a status write, least of all `phase: RollingBack`. Times are RFC 3339
 * strings with milliseconds where the engine needs them.
 */
import { z } from 'zod';

const text = (meaning: string) => z.string().describe(meaning);
const optionalText = (meaning: string) => text(meaning).optional();

const conditionSchema = z.object({
  type: text('Accepted, Ready, Reconciling, Stalled, Paused, MetricsAvailable or TrafficVerified.'),
  status: text('True, False or Unknown.'),
  reason: text('CamelCase, listed in the reference.'),
  message: text('A sentence for a person.'),
  lastTransitionTime: text('When `status` last changed.'),
  observedGeneration: z
    .int()
    .describe('The generation this condition was computed from.')
    .optional(),
});

const planPointSchema = z.object({
  name: text('The name of the step or checkpoint; `end` for the end.'),
  kind: text('Step, Checkpoint or End.'),
  dueAt: text('When it is due; moves later when something before it is delayed.'),
  passedAt: optionalText(
    'When it was passed. A step is passed when its weight has been read back.',
  ),
  weight: z.int().describe('Canary share in percent, for steps.').optional(),
});

const routeStatusSchema = z.object({
  kind: text('The kind of the route.'),
  name: text('The name of the route.'),
  weight: z.int().describe('Canary share read back, in percent.').optional(),
  declared: z
    .int()
    .describe('What the route said before our first write, or another manager since.')
    .optional(),
  drift: z
    .int()
    .describe('How often another writer changed the weights during this run.')
    .optional(),
  released: z
    .boolean()
    .describe('Whether our ownership of the weights has been given up.')
    .optional(),
  problem: optionalText('Why this route cannot be written or does not follow.'),
});

const restartStatusSchema = z.object({
  kind: text('The kind of the workload.'),
  name: text('The name of the workload.'),
  weight: z
    .int()
    .describe('The share of the flag that it was last restarted for in this run, in percent.')
    .optional(),
  problem: optionalText('Why it is not restarted, or its pods are not replaced.'),
});

const holdSchema = z.object({
  reason: text('Why the rollout does not advance.'),
  by: text('Which trigger, gate or person holds.'),
  since: text('Since when.'),
  message: text('A sentence for a person.'),
  links: z
    .array(z.string())
    .describe('The links of the metric chain that are broken, where that is why.')
    .optional(),
});

const responseSchema = z.object({
  action: text('Notify, Hold, RunSuite, Rollback or Continue.'),
  rung: text('The rung of the ladder, as `Rollback when Worsening after 30m`.'),
  at: text('When it was due and carried out.'),
});

const triggerStatusSchema = z.object({
  name: text('The name of the trigger.'),
  severity: text('Critical, Warning or Info.'),
  state: text('Inactive, Pending, Firing or Unknown.'),
  activeAt: optionalText('Since when the condition has been true.'),
  gapMs: z
    .int()
    .describe('Time since activeAt without a reading, in ms; it was not held.')
    .optional(),
  firingAt: optionalText('When it had held for its time.'),
  falseSince: optionalText(
    'Since when the condition has been false while keepFiringFor keeps it firing.',
  ),
  unknownSince: optionalText('Since when there is no reading.'),
  value: optionalText('The value at the last change of state that had one.'),
  reason: optionalText('Why the state is what it is.'),
  message: optionalText('The same as a sentence.'),
  responses: z
    .array(responseSchema)
    .describe('What its ladder has carried out since it fired, in order.')
    .optional(),
  sharedSince: optionalText(
    'Since when stable has breached the same condition, as `compareWithStable` asks.',
  ),
  sharedUntil: optionalText('When the ladder begins after that: sooner if stable recovers.'),
  acknowledgedBy: optionalText('Who has acknowledged it since it fired.'),
  acknowledgedAt: optionalText('When it was acknowledged.'),
  overdueAt: optionalText(
    'When the release owner was paged, because nobody had answered within respondWithin.',
  ),
});

const checkpointStatusSchema = z.object({
  name: text('The name of the checkpoint.'),
  outcome: text('Passed, Failed or Waiting.'),
  passedAt: optionalText('When it was passed.'),
  message: text('Why.'),
  criteria: z
    .object({
      since: text('Where the window begins that they were judged over.'),
      generation: z.int().describe('The generation of the spec that has them.').optional(),
      missed: z.array(z.string()).describe('A sentence for each miss.'),
    })
    .describe('Success criteria that were missed here; they are not judged again over this window.')
    .optional(),
});

const rollbackStageSchema = z.object({
  name: text('StopTraffic, Verify, Restore, Stabilize or Report.'),
  startedAt: text('When it began.'),
  finishedAt: optionalText('When it ended.'),
  outcome: text('Running, Succeeded, Failed, Overrun or Skipped.'),
  message: text('What was done and seen.'),
});

const rollbackHookSchema = z.object({
  name: text('`hook-0` for the first of `rollback.hooks`, and so on.'),
  stage: text('The stage it belongs to.'),
  job: text('The name of its Job.'),
  startedAt: text('When it began.'),
  finishedAt: optionalText('When it was seen to have ended.'),
  outcome: text('Running, Succeeded, Failed or Overrun.'),
  message: optionalText('Why it failed.'),
});

const rollbackSchema = z.object({
  trigger: optionalText('The trigger that asked for it.'),
  reason: text('Why.'),
  message: text('The same as a sentence with figures.'),
  startedAt: text('When it was decided; the SLA clock starts here.'),
  slaDeadline: text('When the SLA is over.'),
  completedAt: optionalText('When the last stage ended.'),
  pagedAt: optionalText('When a person was last told that it is stuck.'),
  withinSla: z.boolean().describe('Whether it was complete before slaDeadline.').optional(),
  outcome: optionalText('Succeeded, Degraded or Stuck.'),
  stages: z.array(rollbackStageSchema).describe('The stages so far, in order.'),
  hooks: z.array(rollbackHookSchema).describe('The Jobs of `rollback.hooks` so far.').optional(),
});

const successSchema = z.object({
  outcome: text('Met or Missed.'),
  judgedAt: text('When the criteria were judged.'),
  since: text('Where the window begins that they were judged over.'),
  generation: z.int().describe('The generation of the spec whose criteria were judged.').optional(),
  missed: z.array(z.string()).describe('A sentence for each miss; empty when all was met.'),
});

const extensionSchema = z.object({
  at: text('When `end` was moved; the criteria are judged over the time since.'),
  by: text('Who moved it: `onFailure` or a person.'),
  reason: text('Why.'),
  until: text('When `end` is due at the earliest.'),
});

const historySchema = z.object({
  revision: text('What was rolled out.'),
  runId: text('Which run.'),
  outcome: text('Succeeded, RolledBack or Superseded.'),
  startedAt: text('When the run started.'),
  finishedAt: text('When it ended.'),
  message: optionalText('Why it ended so.'),
  report: optionalText('Where the report is.'),
});

const decisionStatusSchema = z.object({
  name: optionalText('The GenesisDecision; absent for a request by annotation.'),
  uid: optionalText('Its uid: a decision is applied once.'),
  decision: text('What was decided.'),
  step: optionalText('The step or trigger it is about.'),
  by: text('By whom; `annotation` for a request by annotation.'),
  decidedAt: text('When the operator applied or refused it.'),
  reason: optionalText('Why, in the words of the person.'),
  outcome: text('Applied, Refused or Expired.'),
  message: optionalText('Why it was refused, or what followed.'),
  runId: optionalText('The run it was about.'),
});

const voteSchema = z.object({
  step: text('The step.'),
  decision: text('Approve or Reject: the last word of this person.'),
  by: text('Who.'),
  at: text('When it was taken.'),
  expiresAt: optionalText('An approval counts until then.'),
});

export const rolloutStatusSchema = z.object({
  observedGeneration: z
    .int()
    .describe('The generation of the spec this status answers.')
    .optional(),
  phase: optionalText(
    'Pending, Preflight, Progressing, Held, Paused, Monitoring, Promoting, Succeeded, RollingBack or RolledBack.',
  ),
  message: optionalText('What is going on and what comes next, in a sentence.'),
  revision: optionalText('The revision of the current run.'),
  runId: optionalText('Identifies the current run.'),
  runGeneration: z.int().describe('The generation of the spec this run follows.').optional(),
  specRecord: optionalText('The ControllerRevision that keeps the spec of this run.'),
  plan: z
    .array(planPointSchema)
    .describe('The resolved plan with expected and real times.')
    .optional(),
  weight: z.int().describe('Canary share read back from the routes, in percent.').optional(),
  routes: z.array(routeStatusSchema).describe('Each route and flag.').optional(),
  restarts: z
    .array(restartStatusSchema)
    .describe('Each workload that is restarted with the flag.')
    .optional(),
  step: optionalText('The current step.'),
  startedAt: optionalText('When the run started.'),
  stepEnteredAt: optionalText('When the weight of the current step was read back.'),
  nextStepAt: optionalText('When the next step is due.'),
  endsAt: optionalText('When `end` is due.'),
  finishedAt: optionalText('When the run ended.'),
  blindMs: z
    .int()
    .describe('Time without readings since the last point was passed, in ms; it is no bake.')
    .optional(),
  blindSince: optionalText('Since when there are no readings.'),
  trafficEndedAt: optionalText(
    'When a route was first seen without the traffic that canary had by it in this run, or at last all were; absent while every route leads to canary.',
  ),
  blindPassedMs: z
    .int()
    .describe(
      'Time without readings before the last point passed, in ms, within the window of the criteria.',
    )
    .optional(),
  monitoringDownSince: optionalText('Since when Alertmanager or Grafana is down.'),
  monitoringDownMs: z
    .int()
    .describe('How long one of them was down before, in ms, within the window of the criteria.')
    .optional(),
  backtest: z
    .object({
      outcome: text('Passed, Failed, or Unknown while the history cannot be read.'),
      at: text('When it was done.'),
      generation: z.int().describe('The spec whose triggers were tried.').optional(),
      message: text('Which triggers would have fired, how often, and when first.'),
    })
    .describe("What came of `preflight.backtest`: the triggers tried on stable's history.")
    .optional(),
  preflightPassedAt: optionalText('When preflight passed for this run.'),
  promotedPoint: optionalText('The point whose waiting a person has ended.'),
  promotedAt: optionalText('When that was.'),
  pausedBy: z
    .object({
      by: text('Who paused.'),
      since: text('Since when.'),
      reason: optionalText('Why.'),
    })
    .describe('A pause asked for by a person, beside spec.paused.')
    .optional(),
  acknowledgedHolds: z
    .array(z.string())
    .describe('Reasons of holds that a person has lifted for this run.')
    .optional(),
  replacedRevision: optionalText(
    'The revision whose unfinished run this one replaced; its traffic goes back to stable first.',
  ),
  stableReadyAtStart: z
    .int()
    .describe('Ready endpoints of stable when the run started.')
    .optional(),
  holds: z.array(holdSchema).describe('Why it does not advance; empty when it may.').optional(),
  triggers: z.array(triggerStatusSchema).describe('Written when a state changes.').optional(),
  checkpoints: z.array(checkpointStatusSchema).describe('Outcomes of the checkpoints.').optional(),
  success: successSchema.describe('How the success criteria were judged last.').optional(),
  extensions: z.array(extensionSchema).describe('Each time `end` was moved.').optional(),
  rollback: rollbackSchema.describe('The rollback of the current run.').optional(),
  snapshots: z
    .object({
      expected: z.int().describe('Snapshots due so far.'),
      missing: z.int().describe('Of those, how many are missing.'),
      intervalMs: z
        .int()
        .describe('The distance between two, in ms, for the whole run.')
        .optional(),
    })
    .describe('At state changes; live figures are metrics.')
    .optional(),
  approvals: z
    .array(voteSchema)
    .describe('Who approves or rejects which step of this run.')
    .optional(),
  authors: z
    .array(z.string())
    .describe('Everybody whom the annotation genesis.dev/author has named during this run.')
    .optional(),
  decisions: z.array(decisionStatusSchema).describe('The newest human decisions.').optional(),
  lastRequestToken: optionalText('The token of the last genesis.dev/request that was honoured.'),
  succeededRevision: optionalText('The newest revision that succeeded, and so serves.'),
  history: z.array(historySchema).describe('Past runs, newest first.').optional(),
  conditions: z
    .array(conditionSchema)
    .describe('Accepted, Ready, Reconciling, Stalled, Paused, MetricsAvailable, TrafficVerified.')
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] })
    .optional(),
});

export type RolloutStatus = z.infer<typeof rolloutStatusSchema>;
export type BacktestStatus = NonNullable<RolloutStatus['backtest']>;
export type StatusCondition = z.infer<typeof conditionSchema>;
export type PlanPointStatus = z.infer<typeof planPointSchema>;
export type RouteStatus = z.infer<typeof routeStatusSchema>;
export type RestartStatus = z.infer<typeof restartStatusSchema>;
export type Hold = z.infer<typeof holdSchema>;
export type TriggerStatus = z.infer<typeof triggerStatusSchema>;
export type TriggerResponse = z.infer<typeof responseSchema>;
export type RollbackStatus = z.infer<typeof rollbackSchema>;
export type RollbackHookStatus = z.infer<typeof rollbackHookSchema>;
export type RollbackStage = z.infer<typeof rollbackStageSchema>;
export type SuccessStatus = z.infer<typeof successSchema>;
export type ExtensionStatus = z.infer<typeof extensionSchema>;
export type CheckpointStatus = z.infer<typeof checkpointStatusSchema>;
export type DecisionEntry = z.infer<typeof decisionStatusSchema>;
export type Vote = z.infer<typeof voteSchema>;
export type HistoryEntry = z.infer<typeof historySchema>;
