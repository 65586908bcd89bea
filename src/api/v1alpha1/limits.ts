/** Every limit of the API, in one table. The schemas take their bounds from here, and so does the reference. */
export const limits = {
  metricsMax: 64,
  triggersMax: 64,
  criteriaMax: 64,
  stepsMax: 32,
  checkpointsMax: 32,
  freezesMax: 32,
  suitesMax: 16,
  routesMax: 16,
  rungsMax: 8,
  /** PromQL of one query. Checked: all queries of a full object stay within the CEL budget. */
  queryLengthMax: 4096,
  nameLengthMax: 63,
  /** `<name>-stable` and `<name>-canary` must still be names of at most 63 characters. */
  workloadNameLengthMax: 56,
  revisionLengthMax: 253,
  conditionLengthMax: 64,
  urlLengthMax: 2048,
  /** A sentence written by a person: reasons, responders. */
  textLengthMax: 512,
  /** Longest of the four-part form: `99999h99999h99999h99999h` stays below, `ms` included. */
  durationLengthMax: 28,
  headersMax: 16,
  seriesLabelsMax: 16,
  matchersMax: 16,
  knownFlakyMax: 64,
  patternLengthMax: 256,
  restartsMax: 16,
  parentRefsMax: 16,
  hostnamesMax: 16,
  matchesMax: 16,
  alertRulesMax: 64,
  dashboardsMax: 16,
  targetsMax: 32,
  hooksMax: 16,
  notifyMax: 16,
  approvalQuorumMax: 16,
  /** People whose approval or rejection of one step is kept. */
  votesPerStepMax: 32,
  authorsMax: 32,
  extensionsMax: 16,
  keepRunsMax: 50,
  /** Runs and decisions kept in status. */
  historyMax: 50,
  decisionsMax: 50,
  /** Messages in status are cut here. */
  messageLengthMax: 512,
} as const;
