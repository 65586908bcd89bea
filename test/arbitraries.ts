/**
 * Random specs for property tests. `arbitrarySpec` makes only valid ones, with every part of the API; `arbitraryBroken`
 * makes a valid one and then damages it in a few places, so that most of it still makes sense.
 */
import * as fc from 'fast-check';
import { operators, unitNames } from '#api/condition-text.ts';
import { placeholderNames } from '#api/placeholders.ts';
import type { RolloutSpecInput } from '#api/rollout.ts';

/** A spec as a person would write it: some fields left to their defaults. Valid for API server and operator alike. */
export function arbitrarySpec(): fc.Arbitrary<RolloutSpecInput> {
  return fc
    .record({
      metrics: uniqueNames('metric', 4).chain((names) => fc.tuple(...names.map(metric))),
      suites: uniqueNames('suite', 2).chain((names) => fc.tuple(...names.map(healthSuite))),
    })
    .chain(({ metrics, suites }) => {
      const known: Known = {
        ratios: metrics.filter((it) => 'ratio' in it).map((it) => it.name),
        metrics: metrics.map((it) => it.name),
        suites: suites.map((it) => it.name),
      };
      return fc.record(
        {
          revision: fc.string({ minLength: 1, maxLength: 20 }),
          traffic,
          paused: fc.boolean(),
          schedule,
          analysis: analysis(metrics),
          triggers: uniqueNames('trigger', 5).chain((names) =>
            fc.tuple(...names.map((name) => trigger(name, known))),
          ),
          canaryDown: partial({ for: duration, action: fc.constantFrom('Rollback', 'Hold') }),
          healthSuites: fc.constant(suites),
          success: success(known),
          preflight,
          rollback: rollback(known),
          snapshots: partial({ interval: interval, keepRuns: fc.integer({ min: 1, max: 50 }) }),
          notify: fc.array(notify, { maxLength: 3 }),
          onNewRevision: fc.constantFrom('Restart', 'Queue', 'Reject'),
          deletionPolicy: fc.constantFrom('RestoreStable', 'KeepTraffic'),
          historyLimit: fc.integer({ min: 0, max: 50 }),
        },
        { requiredKeys: ['revision', 'traffic', 'analysis', 'healthSuites'] },
      );
    });
}

/** A whole object around a spec. */
export function arbitraryRollout<T>(spec: fc.Arbitrary<T>) {
  return fc.record({
    apiVersion: fc.constant('genesis.dev/v1alpha1'),
    kind: fc.constant('GenesisRollout'),
    metadata: fc.record({
      name: name('rollout'),
      namespace: name('namespace'),
      uid: fc.uuid(),
      generation: fc.nat(1000),
    }),
    spec,
  });
}

/** A valid spec with one to three random places set to random JSON, removed, or set to what stands elsewhere in it. */
export function arbitraryBroken(
  junk: fc.Arbitrary<unknown> = fc.jsonValue(),
): fc.Arbitrary<unknown> {
  const damage = fc.record({
    where: fc.nat(10_000),
    how: fc.constantFrom('set', 'remove', 'copy'),
    junk,
    from: fc.nat(10_000),
  });
  return fc
    .tuple(arbitrarySpec(), fc.array(damage, { minLength: 1, maxLength: 3 }))
    .map(([spec, damages]) => {
      const root = { spec: structuredClone(spec) as unknown };
      for (const { where, how, junk, from } of damages) {
        const places = placesIn(root);
        const place = places[where % places.length];
        const source = places[from % places.length];
        if (place === undefined || source === undefined) continue;
        if (how === 'remove') Reflect.deleteProperty(place.holder, place.key);
        else
          Reflect.set(
            place.holder,
            place.key,
            how === 'set' ? junk : structuredClone(Reflect.get(source.holder, source.key)),
          );
      }
      return root.spec;
    });
}

interface Known {
  readonly ratios: readonly string[];
  readonly metrics: readonly string[];
  readonly suites: readonly string[];
}

interface Place {
  readonly holder: object;
  readonly key: string;
}

function placesIn(value: unknown): readonly Place[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [
    { holder: value, key },
    ...placesIn(inner),
  ]);
}

const hours = fc.integer({ min: 0, max: 72 });
const duration = fc
  .tuple(fc.integer({ min: 1, max: 999 }), fc.constantFrom('s', 'm', 'h'))
  .map(([count, unit]) => `${count}${unit}`);
const interval = fc.integer({ min: 1, max: 600 }).map((seconds) => `${seconds}s`);
const url = fc.nat(999).map((it) => `https://host-${it}.example/path?a=${it}`);
const sentence = fc.string({ minLength: 1, maxLength: 60 });
const condition = fc
  .tuple(
    fc.constantFrom(...operators),
    fc.integer({ min: -50, max: 5000 }),
    fc.nat(99),
    fc.constantFrom(...unitNames, ''),
  )
  .map(([operator, whole, part, unit]) => `${operator} ${whole}.${part}${unit}`);
const query = fc
  .tuple(
    fc.constantFrom('up', 'rate(x[1m])', 'sum(y)'),
    fc.array(fc.constantFrom(...placeholderNames), { maxLength: 3 }),
  )
  .map(
    ([expression, names]) => `${expression}${names.map((it) => ` or z{l="$(${it})"}`).join('')}`,
  );
const ratio = fc.record({ bad: query, total: query });

function name(prefix: string): fc.Arbitrary<string> {
  return fc.nat(36 ** 4).map((it) => `${prefix}-${it.toString(36)}`);
}

function uniqueNames(prefix: string, max: number): fc.Arbitrary<string[]> {
  return fc.uniqueArray(name(prefix), { maxLength: max });
}

/** A record whose every key may be left out. */
function partial<T extends object>(model: { [Key in keyof T]: fc.Arbitrary<T[Key]> }) {
  return fc.record(model, { requiredKeys: [] });
}

const backend = (service: string) =>
  fc.record({ service: fc.constant(service), port: fc.integer({ min: 1, max: 65_535 }) });

const route = fc.oneof(
  fc.record({
    kind: fc.constantFrom('HTTPRoute', 'GRPCRoute', 'VirtualService', 'HTTPProxy', 'Ingress'),
    name: name('route'),
  }),
  fc.record({
    kind: fc.constant('MyRoute'),
    name: name('route'),
    apiVersion: fc.constant('routes.example/v1'),
  }),
  fc.record({
    kind: fc.constantFrom('HTTPRoute', 'GRPCRoute'),
    name: name('route'),
    generate: fc.record({
      parentRefs: fc.array(fc.record({ name: name('gateway') }), { minLength: 1, maxLength: 2 }),
    }),
  }),
);

const featureFlag = fc.oneof(
  fc.record({
    configMap: name('flags'),
    key: fc.constant('percent'),
    format: fc.constant('Percent' as const),
  }),
  fc.record({
    configMap: name('flags'),
    key: fc.constant('flags.json'),
    format: fc.constant('Flagd' as const),
    flag: name('flag'),
  }),
);

const traffic = fc
  .record({
    stable: backend('app-stable'),
    canary: backend('app-canary'),
    routes: fc.uniqueArray(route, {
      minLength: 1,
      maxLength: 3,
      selector: (it) => `${it.kind} ${it.name}`,
    }),
  })
  .chain((it) =>
    fc.record(
      {
        stable: fc.constant(it.stable),
        canary: fc.constant(it.canary),
        routes: fc.constant(it.routes),
        featureFlag,
      },
      { requiredKeys: ['stable', 'canary', 'routes'] },
    ),
  );

const approval = partial({
  quorum: fc.integer({ min: 1, max: 5 }),
  notBy: fc.constant('Author' as const),
  expiresAfter: duration,
  onExpiry: fc.constantFrom('Hold' as const, 'Rollback' as const),
});

const schedule = fc
  .record({
    times: fc.array(hours, { maxLength: 4 }),
    weights: fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 4, maxLength: 4 }),
    last: hours,
    approval: fc.option(approval, { nil: undefined }),
    checkpoints: fc.array(hours, { maxLength: 3 }),
    freeze: fc.array(
      fc.record({
        cron: fc.constantFrom('0 18 * * 5', '*/5 * * * *'),
        duration,
        timeZone: fc.constantFrom('UTC', 'Europe/Berlin'),
      }),
      { maxLength: 2 },
    ),
  })
  .map(({ times, weights, last, approval, checkpoints, freeze }) => {
    const at = [...times, last].sort((a, b) => a - b);
    const rising = [...weights.slice(0, times.length).sort((a, b) => a - b), 100];
    const end = Math.max(...at, ...checkpoints, 1);
    return {
      steps: at.map((hour, index) => ({
        name: `step-${index}`,
        at: `${hour}h`,
        weight: rising[index] ?? 100,
        ...(approval === undefined || index < times.length ? {} : { approval }),
      })),
      checkpoints: checkpoints.map((hour, index) => ({
        name: `checkpoint-${index}`,
        at: `${hour}h`,
        require: ['Preflight' as const],
      })),
      end: `${end}h`,
      freeze: freeze.map((it, index) => ({ name: `freeze-${index}`, ...it })),
    };
  });

function metric(name: string) {
  const series = fc.dictionary(
    fc.constantFrom('a', 'b'),
    fc.string({ minLength: 1, maxLength: 9 }),
  );
  return fc.oneof(
    fc.record({ name: fc.constant(name), query, series }, { requiredKeys: ['name', 'query'] }),
    fc.record({ name: fc.constant(name), ratio }),
  );
}

function analysis<T>(metrics: readonly T[]) {
  const prometheus = partial({
    url,
    headers: fc.constant([{ name: 'X-Scope-OrgID', value: 'shop' }]),
    bearerToken: fc.constant({ name: 'token', key: 'token' }),
    tls: fc.constant({ insecureSkipVerify: true }),
  });
  return fc.record(
    { interval, offset: duration, prometheus, metrics: fc.constant(metrics) },
    { requiredKeys: ['metrics'] },
  );
}

function healthSuite(name: string) {
  const common = { name: fc.constant(name), knownFlaky: fc.constantFrom([], ['^test_']) };
  return fc.oneof(
    fc.record({ ...common, http: fc.record({ url }) }),
    fc.record({
      ...common,
      interval: fc.constant('9m'),
      timeout: fc.constant('8m'),
      jobTemplate: fc.constant({ spec: {} }),
    }),
  );
}

/** What is measured, of what there is. */
function source({ metrics, suites }: Known): fc.Arbitrary<object> {
  return fc.oneof(
    fc.record({ query }),
    fc.record({ ratio }),
    ...(metrics.length === 0 ? [] : [fc.record({ metric: fc.constantFrom(...metrics) })]),
    ...(suites.length === 0 ? [] : [fc.record({ suite: fc.constantFrom(...suites) })]),
  );
}

function rung({ suites }: Known) {
  const trend = fc.constantFrom('Worsening', 'Improving', 'Steady');
  const plain = fc.record(
    {
      action: fc.constantFrom('Notify', 'Hold', 'Rollback', 'Continue'),
      after: duration,
      when: trend,
    },
    { requiredKeys: ['action'] },
  );
  if (suites.length === 0) return plain;
  const run = fc.record(
    { action: fc.constant('RunSuite'), suite: fc.constantFrom(...suites), after: duration },
    { requiredKeys: ['action', 'suite'] },
  );
  return fc.oneof(plain, run);
}

function trigger(name: string, known: Known) {
  const measured = fc.oneof(
    source(known),
    fc.record({
      probe: fc.record(
        { url, expectStatus: fc.integer({ min: 100, max: 599 }) },
        { requiredKeys: ['url'] },
      ),
    }),
    fc.constant({ alerts: { matchers: ['severity="critical"', 'namespace="$(namespace)"'] } }),
    fc.record(
      {
        ratio,
        judge: fc.constantFrom('Threshold', 'Sequential'),
        compareWithStable: partial({ holdFor: duration }),
      },
      { requiredKeys: ['ratio'] },
    ),
    ...(known.ratios.length === 0
      ? []
      : [
          fc.record({ metric: fc.constantFrom(...known.ratios), judge: fc.constant('Sequential') }),
        ]),
  );
  const rest = fc.record(
    {
      name: fc.constant(name),
      severity: fc.constantFrom('Critical', 'Warning', 'Info'),
      condition,
      for: duration,
      keepFiringFor: duration,
      noData: fc.constantFrom('Hold', 'Ignore', 'Breach'),
      noDataFor: duration,
      onFiring: fc.array(rung(known), { minLength: 1, maxLength: 8 }),
      respondWithin: duration,
      responder: sentence,
      runbookUrl: url,
    },
    { requiredKeys: ['name', 'severity', 'condition'] },
  );
  return fc.tuple(rest, measured).map(([rest, measured]) => ({ ...rest, ...measured }));
}

function criteria(known: Known) {
  const criterion = (name: string) =>
    fc
      .tuple(
        fc.record({ condition, for: duration }, { requiredKeys: ['condition'] }),
        source(known),
      )
      .map(([rest, measured]) => ({ name, ...rest, ...measured }));
  return uniqueNames('criterion', 3).chain((names) => fc.tuple(...names.map(criterion)));
}

function success(known: Known) {
  return partial({
    criteria: criteria(known),
    require: fc.uniqueArray(
      fc.constantFrom('NoCriticalTriggers', 'NoRollbacks', 'SnapshotsComplete'),
    ),
    onFailure: fc.constantFrom('Extend', 'Rollback', 'Hold'),
    extendBy: duration,
    maxExtensions: fc.integer({ min: 0, max: 16 }),
    thenMonitorFor: duration,
  });
}

const preflight = partial({
  policy: fc.constantFrom('Require', 'Advise', 'Skip'),
  alertRules: fc.uniqueArray(sentence, { maxLength: 3 }),
  dashboards: fc
    .uniqueArray(sentence, { maxLength: 2 })
    .map((uids) => uids.map((uid) => ({ uid }))),
  targets: fc.uniqueArray(sentence, { maxLength: 2 }).map((jobs) => jobs.map((job) => ({ job }))),
  backtest: fc.record(
    { window: fc.constantFrom('24h', '336h'), maxFirings: fc.nat(5) },
    { requiredKeys: ['window'] },
  ),
});

function rollback(known: Known) {
  return partial({
    sla: duration,
    stages: partial({
      stopTraffic: duration,
      verify: duration,
      restore: duration,
      stabilize: duration,
      report: duration,
    }),
    ...(known.suites.length === 0 ? {} : { healthSuite: fc.constantFrom(...known.suites) }),
    health: fc.record({ url }),
    baseline: criteria(known),
    hooks: fc.array(
      fc.record({
        stage: fc.constantFrom('StopTraffic', 'Restore'),
        jobTemplate: fc.constant({ spec: {} }),
      }),
      { maxLength: 2 },
    ),
  });
}

const notify = fc.record(
  {
    channel: name('channel'),
    events: fc.uniqueArray(fc.constantFrom('StepEntered', 'RollbackStarted', 'Succeeded'), {
      minLength: 1,
    }),
    minSeverity: fc.constantFrom('Critical', 'Warning', 'Info'),
  },
  { requiredKeys: ['channel'] },
);
