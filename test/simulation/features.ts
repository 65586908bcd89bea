/**
 * What of the whole API one simulated rollout uses, drawn from its seed: a few features at a time, so that each world
 * stays small. Every feature has a random stream of its own and can be left out without changing the others.
 */
import type { RolloutSpecInput } from '#api/rollout.ts';
import { countedRatio, SEQUENTIAL } from './counters.ts';
import { featureFlag } from './flag.ts';
import { type Random, streamOf } from './random.ts';
import { baseSpec } from './scenario.ts';

export const featureNames = [
  'ladder',
  'warning',
  'alerts',
  'probe',
  'suite',
  'shared',
  'approval',
  'freeze',
  'checkpoint',
  'success',
  'stages',
  'evidence',
  'revisions',
  'sequential',
  'flag',
  'chain',
] as const;

export type Feature = (typeof featureNames)[number];
type Spec = RolloutSpecInput;
export type Trigger = NonNullable<Spec['triggers']>[number];
type Rung = NonNullable<Trigger['onFiring']>[number];

export const AUTHOR = 'author@example.com';
export const SUITE = 'health';
export const SUITE_INTERVAL_MS = 20_000;
export const SUITE_TIMEOUT_MS = 10_000;
export const PROBE_URL = 'http://canary.sim/health';
export const STABLE_URL = 'http://stable.sim/health';

/** One world in ten has everything at once; the others have some. */
export function drawFeatures(seed: number, without: ReadonlySet<string>): ReadonlySet<Feature> {
  const random = streamOf(seed, 'features');
  const probability = random.pick([0, 0.2, 0.2, 0.2, 0.3, 0.3, 0.3, 0.5, 0.5, 1]);
  const drawn = featureNames.filter(() => random.next() < probability);
  return new Set(drawn.filter((feature) => !without.has(`feature:${feature}`)));
}

/** The spec of a seed, apart from its revision. */
export function drawSpec(seed: number, features: ReadonlySet<Feature>): (revision: string) => Spec {
  let spec: Spec = baseSpec('');
  for (const feature of features) {
    spec = adders[feature](spec, streamOf(seed, `spec of ${feature}`), features);
  }
  return (revision) => ({ ...spec, revision });
}

type Adder = (spec: Spec, random: Random, features: ReadonlySet<Feature>) => Spec;

const adders: Readonly<Record<Feature, Adder>> = {
  ladder: (spec, random) => changeErrors(spec, { onFiring: criticalLadder(random) }),
  warning: addWarnings,
  alerts: (spec, random) =>
    addTrigger(spec, {
      name: 'alerts',
      severity: 'Critical',
      alerts: { matchers: ['severity="critical"'] },
      condition: '> 0',
      for: seconds(random.pick([0, 10, 20])),
      noDataFor: '20s',
      ...(random.chance(0.3) ? { keepFiringFor: '10s' } : {}),
      ...(random.chance(0.5) ? { onFiring: criticalLadder(random) } : {}),
    }),
  probe: (spec, random) =>
    addTrigger(spec, {
      name: 'probe',
      severity: 'Critical',
      probe: { url: PROBE_URL, expectStatus: 200 },
      condition: '== 0',
      for: seconds(random.pick([10, 20])),
      noDataFor: '20s',
      ...(random.chance(0.5) ? { onFiring: criticalLadder(random) } : {}),
    }),
  suite: addSuite,
  shared: (spec, random) =>
    changeErrors(spec, { compareWithStable: { holdFor: seconds(random.pick([20, 60])) } }),
  approval: addApproval,
  freeze: addFreeze,
  checkpoint: addCheckpoint,
  success: addSuccess,
  stages: addStages,
  evidence: (spec) => ({ ...spec, snapshots: { interval: '20s' } }),
  revisions: (spec, random) => ({
    ...spec,
    onNewRevision: random.pick(['Restart', 'Queue', 'Reject']),
  }),
  flag: (spec, random) => ({
    ...spec,
    traffic: { ...spec.traffic, featureFlag },
    deletionPolicy: random.pick(['RestoreStable', 'KeepTraffic']),
  }),
  // The check is a matter of the world.
  chain: (spec) => spec,
  // Where the literal rule takes its time, only the judge can keep the invariants.
  sequential: (spec, random) =>
    addTrigger(random.chance(0.5) ? changeErrors(spec, { for: '2m' }) : spec, {
      name: SEQUENTIAL,
      severity: 'Critical',
      ratio: countedRatio,
      condition: '> 1%',
      judge: 'Sequential',
      noDataFor: '20s',
      ...(random.chance(0.5) ? { onFiring: criticalLadder(random) } : {}),
    }),
};

function changeErrors(spec: Spec, change: Partial<Trigger>): Spec {
  const triggers = (spec.triggers ?? []).map((one) =>
    one.name === 'errors' ? { ...one, ...change } : one,
  );
  return { ...spec, triggers };
}

function addTrigger(spec: Spec, trigger: Trigger): Spec {
  return { ...spec, triggers: [...(spec.triggers ?? []), trigger] };
}

/** Always ends in a rollback that no `when` can keep off. */
function criticalLadder(random: Random): Rung[] {
  return random.pick<Rung[]>([
    [{ action: 'Rollback' }],
    [{ action: 'Hold' }, { action: 'Notify' }, { action: 'Rollback', after: '20s' }],
    [{ action: 'Notify' }, { action: 'Rollback', after: '15s' }, { action: 'Hold' }],
    [{ action: 'Notify' }, { action: 'Rollback' }, { action: 'Hold', after: '10s' }],
  ]);
}

function addWarnings(spec: Spec, random: Random, features: ReadonlySet<Feature>): Spec {
  const query = 'load';
  const warned = addTrigger(spec, {
    name: 'load',
    severity: 'Warning',
    query,
    condition: '> 10',
    for: seconds(random.pick([10, 20, 40])),
    noDataFor: '20s',
    onFiring: warningLadder(random, features.has('suite')),
    ...(random.chance(0.3) ? { keepFiringFor: '20s' } : {}),
    ...(random.chance(0.3) ? { respondWithin: '30s' } : {}),
  });
  if (random.chance(0.5)) return warned;
  return addTrigger(warned, {
    name: 'load-seen',
    severity: 'Info',
    query,
    condition: '> 5',
    for: '0s',
  });
}

function warningLadder(random: Random, hasSuite: boolean): Rung[] {
  const after = () => random.pick<{ after?: string }>([{}, { after: '10s' }, { after: '40s' }]);
  const trend = () => random.pick<NonNullable<Rung['when']>>(['Worsening', 'Improving', 'Steady']);
  const finding = () => random.pick<NonNullable<Rung['when']>>(['NewFailures', 'KnownFlakyOnly']);
  const kinds: [() => Rung, ...(() => Rung)[]] = [
    () => ({ action: 'Hold', ...after() }),
    () => ({ action: 'Notify', ...after() }),
    () => ({ action: 'Rollback', when: trend(), ...after() }),
    () => ({ action: 'Continue', when: trend(), ...after() }),
    () => ({ action: 'Continue', after: '40s' }),
    () => ({ action: 'Rollback', after: '1m' }),
  ];
  if (hasSuite) kinds.push(() => ({ action: 'Rollback', when: finding(), after: '10s' }));
  if (hasSuite) kinds.push(() => ({ action: 'Continue', when: finding(), after: '10s' }));
  const first: Rung[] = hasSuite ? [{ action: 'RunSuite', suite: SUITE, ...after() }] : [];
  const rungs = Array.from({ length: random.int(1, 5) }, () => random.pick(kinds)());
  return uniqueRungs([...first, ...rungs]);
}

function uniqueRungs(rungs: readonly Rung[]): Rung[] {
  const byText = new Map(rungs.map((rung) => [JSON.stringify(rung), rung]));
  return [...byText.values()];
}

function addSuite(spec: Spec, random: Random): Spec {
  const suite = {
    name: SUITE,
    interval: seconds(SUITE_INTERVAL_MS / 1000),
    timeout: seconds(SUITE_TIMEOUT_MS / 1000),
    knownFlaky: ['^flaky'],
    http: { url: 'http://suite.sim/run' },
  };
  const withSuite = { ...spec, healthSuites: [suite] };
  return addTrigger(withSuite, {
    name: 'pass-rate',
    severity: 'Critical',
    suite: SUITE,
    condition: '< 80%',
    for: seconds(random.pick([0, 20, 30])),
    noData: random.pick(['Hold', 'Ignore']),
    noDataFor: '1m',
    ...(random.chance(0.5) ? { onFiring: criticalLadder(random) } : {}),
  });
}

type Step = NonNullable<Spec['schedule']>['steps'][number];

function addApproval(spec: Spec, random: Random): Spec {
  const { schedule } = spec;
  if (schedule === undefined) return spec;
  const approval = (): NonNullable<Step['approval']> => ({
    quorum: random.int(1, 2),
    ...(random.chance(0.5) ? { notBy: 'Author' } : {}),
    ...(random.chance(0.5) ? { expiresAfter: seconds(random.pick([20, 60, 120])) } : {}),
    onExpiry: random.pick(['Hold', 'Hold', 'Rollback']),
  });
  const steps = schedule.steps.map((step) =>
    step.weight > 0 && random.chance(0.6) ? { ...step, approval: approval() } : step,
  );
  return { ...spec, schedule: { ...schedule, steps } };
}

/** The world begins at 03:17:11 UTC; windows open at a full minute while it is in trouble. */
function addFreeze(spec: Spec, random: Random): Spec {
  const { schedule } = spec;
  if (schedule === undefined) return spec;
  const window = (name: string) => {
    const [zone, hour] = random.pick<[string, number]>([
      ['UTC', 3],
      ['Europe/Berlin', 4],
      ['Asia/Kolkata', 8],
    ]);
    const minute = random.int(17, 24) + (zone === 'Asia/Kolkata' ? 30 : 0);
    const cron = `${minute} ${hour} * * *`;
    return { name, cron, timeZone: zone, duration: seconds(random.pick([15, 40, 90, 150])) };
  };
  const freeze = Array.from({ length: random.int(1, 3) }, (_, index) => window(`freeze-${index}`));
  return { ...spec, schedule: { ...schedule, freeze } };
}

function addCheckpoint(spec: Spec, random: Random, features: ReadonlySet<Feature>): Spec {
  const { schedule } = spec;
  if (schedule === undefined) return spec;
  const kinds = ['Preflight', 'NoFiringTriggers', 'SuccessCriteria', 'HealthSuites'] as const;
  const chosen = kinds.filter(() => random.chance(0.4));
  const checkpoint = {
    name: 'check',
    at: seconds(random.pick([50, 110, 170, 200])),
    require: chosen.length === 0 ? [random.pick(kinds)] : chosen,
    onFailure: random.pick(['Hold', 'Rollback'] as const),
  };
  const changed = { ...spec, schedule: { ...schedule, checkpoints: [checkpoint] } };
  return features.has('success') ? changed : { ...changed, success: { criteria: criteria() } };
}

function criteria(): NonNullable<NonNullable<Spec['success']>['criteria']> {
  const ratio = { bad: 'bad{service="$(arm.service)"}', total: 'total{service="$(arm.service)"}' };
  return [{ name: 'errors', ratio, condition: '< 1%', for: '20s' }];
}

function addSuccess(spec: Spec, random: Random, features: ReadonlySet<Feature>): Spec {
  const kinds = [
    'NoCriticalTriggers',
    'NoCriticalAlerts',
    'NoRollbacks',
    'MonitoringOperational',
  ] as const;
  const snapshots = features.has('evidence') && random.chance(0.3);
  return {
    ...spec,
    success: {
      criteria: random.chance(0.8) ? criteria() : [],
      require: [
        ...kinds.filter(() => random.chance(0.2)),
        ...(snapshots ? (['SnapshotsComplete'] as const) : []),
      ],
      onFailure: random.pick(['Extend', 'Hold', 'Rollback']),
      extendBy: seconds(random.pick([40, 80])),
      maxExtensions: random.int(0, 2),
      thenMonitorFor: seconds(random.pick([0, 0, 20])),
    },
  };
}

function addStages(spec: Spec, random: Random, features: ReadonlySet<Feature>): Spec {
  const stages = ['StopTraffic', 'Verify', 'Restore', 'Stabilize', 'Report'] as const;
  const template = { spec: { containers: [{ name: 'hook', image: 'hook' }] } };
  const hooks = Array.from({ length: random.int(0, 3) }, () => ({
    stage: random.pick(stages),
    jobTemplate: { spec: { template } },
  }));
  const ratio = { bad: 'bad{service="$(arm.service)"}', total: 'total{service="$(arm.service)"}' };
  return {
    ...spec,
    rollback: {
      sla: '2m',
      stages: { stopTraffic: '1m', verify: '20s', restore: '20s', stabilize: '40s', report: '20s' },
      hooks,
      ...(random.chance(0.4) ? { health: { url: STABLE_URL } } : {}),
      ...(features.has('suite') && random.chance(0.5) ? { healthSuite: SUITE } : {}),
      ...(random.chance(0.4)
        ? { baseline: [{ name: 'errors', ratio, condition: '< 1%', for: '10s' }] }
        : {}),
    },
  };
}

function seconds(count: number): string {
  return `${count}s`;
}
