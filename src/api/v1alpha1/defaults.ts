/**
 * Every default of the API, in one table. The schemas take theirs from here; the plan has none in the schema,
 * because a server-side apply would merge it into the user's own steps: the operator resolves it when a run starts.
 */
export const defaults = {
  paused: false,
  onNewRevision: 'Restart',
  deletionPolicy: 'RestoreStable',
  historyLimit: 10,
  analysis: { interval: '15s', offset: '0s' },
  canaryDown: { for: '2m', action: 'Rollback' },
  approval: { quorum: 1, onExpiry: 'Hold' },
  checkpoint: { onFailure: 'Hold' },
  freeze: { timeZone: 'UTC' },
  trigger: {
    for: '0s',
    keepFiringFor: '0s',
    noDataFor: '2m',
    judge: 'Threshold',
    measure: 'PassRate',
    expectStatus: 200,
    compareWithStableHoldFor: '10m',
  },
  criterion: { for: '10m' },
  healthSuite: { interval: '5m' },
  success: { onFailure: 'Hold', maxExtensions: 1 },
  preflight: { policy: 'Require', backtestMaxFirings: 0 },
  rollback: {
    sla: '15m',
    stages: { stopTraffic: '1m', verify: '2m', restore: '5m', stabilize: '5m', report: '2m' },
  },
  snapshots: { interval: '5m', keepRuns: 3 },
  serviceMonitor: { path: '/metrics', scheme: 'http', interval: '15s' },
} as const;

/** What follows when a trigger has had no data for its `noDataFor`. */
export const noDataBySeverity = { Critical: 'Hold', Warning: 'Ignore', Info: 'Ignore' } as const;

/** The ladder of a trigger that names none. */
export const ladderBySeverity = {
  Critical: [{ action: 'Rollback' }],
  Warning: [{ action: 'Hold' }, { action: 'Notify' }],
  Info: [{ action: 'Notify' }],
} as const;

/** How long people have to answer before the release owner is paged; undefined: nobody is. */
export const respondWithinBySeverity = {
  Critical: undefined,
  Warning: '30m',
  Info: undefined,
} as const;

/** The plan of a rollout without `schedule`, as a whole. */
export const defaultPlan = {
  schedule: {
    steps: [
      { name: 'dark', at: '0h', weight: 0 },
      { name: 'half', at: '6h', weight: 50 },
      { name: 'full', at: '30h', weight: 100 },
    ],
    checkpoints: [
      { name: 'dashboards', at: '1h', require: ['Preflight'], onFailure: 'Hold' },
      { name: 'day-one', at: '24h', require: ['SuccessCriteria'], onFailure: 'Hold' },
    ],
    end: '48h',
    freeze: [],
  },
  extendBy: '48h',
  thenMonitorFor: '24h',
} as const;
