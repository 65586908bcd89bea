/** Every name that this operator writes into a cluster: group, kinds, labels, annotations, managers. */
export const group = 'genesis.dev';
export const version = 'v1alpha1';
export const apiVersion = `${group}/${version}`;

/** The same shape as the Resource of the cluster port, which this layer may not import. */
export interface ResourceDescriptor {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
}

export const rolloutResource = {
  group,
  version,
  kind: 'GenesisRollout',
  plural: 'genesisrollouts',
  namespaced: true,
} as const satisfies ResourceDescriptor;

export const decisionResource = {
  group,
  version,
  kind: 'GenesisDecision',
  plural: 'genesisdecisions',
  namespaced: true,
} as const satisfies ResourceDescriptor;

/** Keeps the spec that a run follows, whole, as Kubernetes' own controllers keep theirs. */
export const controllerRevisionResource = {
  group: 'apps',
  version: 'v1',
  kind: 'ControllerRevision',
  plural: 'controllerrevisions',
  namespaced: true,
} as const satisfies ResourceDescriptor;

/** Evidence is kept in ConfigMaps, and a feature flag is a key of one. */
export const configMapResource = {
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  namespaced: true,
} as const satisfies ResourceDescriptor;

/** Hooks of a rollback and health suites run as Jobs. */
export const jobResource = {
  group: 'batch',
  version: 'v1',
  kind: 'Job',
  plural: 'jobs',
  namespaced: true,
} as const satisfies ResourceDescriptor;

export const shortNames = { rollout: ['gr', 'grollout'], decision: ['gdecision'] } as const;
export const category = 'genesis';

/** Who we are in managedFields. Ownership of weights is taken and released under this name. */
export const fieldManager = 'genesis';
export const finalizer = `${group}/traffic`;

export const labels = {
  /** The rollout that an object was made for. */
  rollout: `${group}/rollout`,
  /** The run that an object was made for. */
  run: `${group}/run`,
  /** What an object is: `spec`, `snapshots`, `report`, `stable`. */
  purpose: `${group}/purpose`,
  managedBy: 'app.kubernetes.io/managed-by',
} as const;
/**
 * On every alert that is made from a trigger: its name. Triggers and criteria that count alerts leave those out, or an alert
 * made from such a trigger would count itself, and never end.
 */
export const triggerAlertLabel = 'genesis_trigger';
export const managedByValue = 'genesis-rollout';

export const annotations = {
  /** `pause|resume|promote|abort|retry <token>`: for tools that can only annotate. */
  request: `${group}/request`,
  /**
   * Who made the change that is rolled out, spelled as the API server knows them. Whoever applies the rollout
   * for others sets it; see `approval.notBy`.
   */
  author: `${group}/author`,
  /** On the CRDs: an operator newer than its CRD starts no run. */
  schemaVersion: `${group}/schema-version`,
  /** On a pod template: a JSON object of the shares of flags that it was restarted for, by flag. */
  flagWeights: `${group}/flag-weights`,
  /** On a segment of snapshots: which indices it has, `1-72`. */
  recorded: `${group}/recorded`,
  /** On a segment of snapshots: `true` once nothing is added any more. */
  closed: `${group}/closed`,
  /** On a dashboard, rule or monitor made for a rollout: a fingerprint of what was written. */
  rendered: `${group}/rendered`,
  /** On a report: `interim` or `final`. */
  report: `${group}/report`,
} as const;

/** Raised by one whenever a schema changes; compared with the annotation on the CRD at start-up. */
export const schemaVersion = 1;

/** The name of each CRD object. */
export const crdNames = {
  rollout: `${rolloutResource.plural}.${group}`,
  decision: `${decisionResource.plural}.${group}`,
} as const;

/** Triggers that every rollout has; no trigger of a spec may take their names. */
export const builtInTriggers = ['canary-down', 'stable-down'] as const;
