/** Every reason of a condition, an event or a hold, with the sentence that the reference says about it. */
export const reasons = {
  // Conditions
  Valid: 'The spec is understood and everything it names was found.',
  InvalidSpec:
    'The spec cannot be followed; the message names field, value and what is allowed. Traffic is not touched.',
  Pending: 'No run has started yet.',
  Progressing: 'The rollout follows its plan.',
  Monitoring:
    'All traffic is on canary, and stable is kept untouched for `success.thenMonitorFor`.',
  Promoting: 'Canary becomes stable.',
  Completed: 'The rollout has succeeded.',
  RolledBack: 'All traffic is back on stable.',
  RollingBack: 'Traffic is going back to stable.',
  CrdOutdated:
    'The operator is newer than the CRD in the cluster: no run is started until the CRD is updated.',
  MetricsAnswered: 'Every query in use was answered.',
  TrafficAsPlanned: 'The weight read back from every route is the planned one.',
  NotPaused: 'Nobody has paused the rollout.',
  // Holds and gates
  Paused: 'A person has paused the rollout.',
  Preflight: 'Preflight has not passed.',
  Frozen: 'A freeze window is open: nothing rises and nothing is promoted.',
  ApprovalNeeded: 'The step waits for approval.',
  ApprovalExpired: 'Nobody approved in time.',
  Rejected: 'A person has rejected the step.',
  CheckpointFailed: 'What a checkpoint requires was not so.',
  CriteriaMissed: 'A success criterion was missed at `end`.',
  TriggerPending: 'The condition of a Critical trigger is true and has not yet held for its time.',
  TriggerFiring: 'A trigger has held for its time.',
  TriggerUnknown: 'A Critical trigger has no reading.',
  NoData: 'A trigger has been without data for its `noDataFor`.',
  NoTraffic: 'Canary gets no requests though its weight is above 0.',
  ChainBroken: 'A metric, a label, a target or a rule is gone: readings prove nothing.',
  PrometheusDown: 'Prometheus does not answer.',
  SharedIncident: 'Stable breaches as well: it is the service, not the canary.',
  ClockSkew: "Prometheus' clock and ours differ by more than 10 s.",
  CanaryDown: 'Canary has no Ready endpoint.',
  StableDown: 'Stable has no Ready endpoint.',
  StableUnderscaled: 'Stable has fewer Ready endpoints than when the run started.',
  WorkloadUnavailable: 'The Deployment is not available.',
  RouteNotSettled:
    'A route has not been accepted by its gateway, or its weight could not be read back.',
  RouteNotFound: 'A route does not exist.',
  RouteConflict:
    'An older rollout already moves this route, these Services, this flag or this Deployment.',
  RouteRefused: 'A route cannot be written safely; the message says why.',
  PartialCoverage: 'A rule of the route names only one of the two Services; it is not touched.',
  WouldServeOlderVersion:
    'The first step would send traffic to something older than what serves now.',
  SuiteUnavailable: 'A health suite could not be carried out twice in a row.',
  // Events
  RunStarted: 'A run has started.',
  RunSuperseded: 'A newer revision has replaced this run.',
  StepEntered: 'The weight of a step was read back.',
  CheckpointPassed: 'A checkpoint was passed.',
  Held: 'The rollout no longer advances.',
  Released: 'The rollout may advance again.',
  Resumed: 'A person has resumed the rollout.',
  Aborted: 'A person has asked for a rollback.',
  TriggerResolved: 'A trigger no longer fires.',
  ResponseOverdue: 'Nobody answered within `respondWithin`.',
  DriftDetected: 'Another writer changed a weight; it is asserted again.',
  Extended: '`end` moved by `success.extendBy`.',
  RollbackStarted: 'The decision to roll back was taken.',
  RollbackStuck: 'A route does not go to 0; it is retried without end.',
  RollbackFinished: 'Every stage of the rollback has ended.',
  Degraded: 'The rollback stopped traffic, but a later stage failed.',
  Succeeded: 'The rollout has succeeded.',
  DecisionApplied: 'A decision was applied.',
  DecisionRefused: 'A decision was refused; the message says why.',
  DecisionExpired: 'A decision was not applied before its `expiresAt`.',
  DeletionGaveUp: 'Traffic could not be restored within a minute of the deletion.',
  InvariantViolated:
    'The operator caught itself breaking one of its own rules; canary is held at 0.',
} as const;

export type Reason = keyof typeof reasons;
