/** The wiring: adapters are built and plugged into the controller here, and closed in order. Nothing is decided. */
import { Controller } from '#controller/controller.ts';
import { DecisionPolicyReader } from '#controller/decision-policy.ts';
import { DecisionIndex } from '#controller/decisions.ts';
import { EvidenceLog } from '#controller/evidence-log.ts';
import { createManifestKeeper, noManifests } from '#controller/manifest-keeper.ts';
import type { Reconciler } from '#controller/reconcile.ts';
import { RolloutIndex } from '#controller/rollout-index.ts';
import { Specs } from '#controller/specs.ts';
import type { OutsideChecks } from '#core/resolve-outside.ts';
import { createConfigMapStore } from '#evidence/config-map-store.ts';
import { createDirectoryStore } from '#evidence/directory-store.ts';
import { createCluster, createElection, type KubeCluster } from '#kube/cluster-client.ts';
import { watchEndpoints } from '#kube/endpoints.ts';
import { Events } from '#kube/events.ts';
import { createJobRunner } from '#kube/job-runner.ts';
import { createAlwaysLeader, type Election } from '#kube/leadership.ts';
import { secretReader } from '#kube/secrets.ts';
import { createMonitoringSystems, type Monitoring } from '#monitoring/monitoring-systems.ts';
import type { Clock } from '#ports/clock.ts';
import type { EvidenceStore } from '#ports/evidence-store.ts';
import type { JobRunner } from '#ports/job-runner.ts';
import type { Leadership } from '#ports/leadership.ts';
import { createProber } from '#probes/prober.ts';
import { createMetricSource, type PrometheusSource } from '#prometheus/client.ts';
import { inspectQuery } from '#promql/inspect-query.ts';
import { createRouters } from '#routers/index.ts';
import { createWorkloads } from '#routers/workloads.ts';
import { untilAborted } from '#runtime/deadline.ts';
import { RightOfWay } from '#runtime/right-of-way.ts';
import { type ClosingStep, closeInOrder } from '#runtime/shutdown.ts';
import { Turns } from '#runtime/turns.ts';
import { WorkQueue } from '#runtime/work-queue.ts';
import { patternProblem } from '#suites/flaky.ts';
import { fieldsOfOrder } from '#suites/run-log.ts';
import { createSuiteRunners } from '#suites/runners.ts';
import { createSuiteBoard } from '#suites/suite-board.ts';
import { type AddressRules, urlProblem } from '#web/address-rules.ts';
import { createWeb, type Web } from '#web/web.ts';
import { createAskMetrics } from './ask-metrics.ts';
import { createChainChecks } from './chain-checks.ts';
import type { Notifications } from './config/channels.ts';
import { channelProblem } from './config/notifications.ts';
import { crdProblem } from './crd-version.ts';
import type { OperatorOptions } from './operator-options.ts';
import { createPeople, type People } from './people.ts';
import { createRolloutEndpoints } from './rollout-endpoints.ts';
import { createWatching, type Watching } from './watching.ts';

export interface Operator {
  /** Caches are synced and nothing is being shut down. */
  isReady(): boolean;
  /** ms since the quietest watch has heard from the API server. */
  silentForMs(): number;
  /** Aborted when leadership is lost: the process must end. */
  readonly lost: AbortSignal;
  /** Lets looks under way finish, then gives the lease back. */
  stop(): Promise<void>;
}

/** Answers of a tick serve every look within it; the shortest usual interval is a little longer. */
const ANSWERS_KEPT_MS = 10_000;
/** Targets and rules are long lists and change seldom. */
const LISTS_KEPT_MS = 30_000;
const CLOSING_MAX_MS = 10_000;
/**
 * Looks that write at a time. More would only wait for each other: the client has 24 connections for them, and 64 looks of three
 * writes each are through within a look's 30 s even at seven writes a second.
 */
const WRITERS_MAX = 64;

export async function startOperator(options: OperatorOptions): Promise<Operator> {
  const { clock, logger } = options;
  const election = elect(options);
  const stopping = new AbortController();
  const parts = await plug(options, election, stopping.signal);
  const { cluster, controller } = parts;
  const lead = async (): Promise<void> => {
    await whenSynced(cluster, clock, stopping.signal);
    election.start();
    await untilAborted(election.acquired, stopping.signal);
    logger.info({}, 'leading: rollouts are looked after by this process');
    controller.start(AbortSignal.any([stopping.signal, election.lost]));
  };
  lead().catch((error: unknown) => {
    if (!stopping.signal.aborted) logger.error({ err: error }, 'the workers were not started');
  });
  let isStopping = false;
  return {
    isReady: () => cluster.isSynced && !isStopping,
    silentForMs: () => cluster.silentForMs(),
    lost: election.lost,
    async stop() {
      isStopping = true;
      await closeInOrder(closingSteps(parts, election, stopping), { clock, logger });
    },
  };
}

interface Parts {
  readonly cluster: KubeCluster;
  readonly events: Events;
  readonly evidence: EvidenceLog;
  readonly people: People;
  readonly metrics: PrometheusSource;
  readonly monitoring: Monitoring;
  readonly web: Web;
  readonly controller: Controller;
}

async function plug(
  options: OperatorOptions,
  leadership: Leadership,
  stopping: AbortSignal,
): Promise<Parts> {
  const { clock, logger, telemetry, source, version, namespaces } = options;
  const client = { source, version, clock, logger, leadership, ...options.client };
  const cluster = createCluster({ ...client, metrics: telemetry });
  const events = eventsOf(options, cluster);
  const metrics = metricsOf(options);
  const watching = createWatching(cluster, namespaces);
  // Watches tell of what is there before the controller is built; it looks at everything once it leads.
  let used: Controller['used'] = () => undefined;
  const endpoints = watchEndpoints({
    cluster,
    ...(namespaces === undefined ? {} : { namespaces }),
    onChange: (namespace, name) => used('Service', { namespace, name }),
  });
  let lookAt: Controller['look'] = () => undefined;
  const rules = { allowLoopback: options.allowLoopbackUrls };
  const checks = checksBy(rules, options.notifications);
  const web = createWeb(clock, rules);
  const store = storeOf(options, cluster);
  const people = peopleOf(options, { cluster, leadership, store });
  const { evidence: observer } = telemetry;
  const onChange: Controller['look'] = (rollout) => lookAt(rollout);
  const evidence = new EvidenceLog({ store, clock, logger, observer, onChange });
  const jobs = createJobRunner(cluster);
  const endpointOf = createRolloutEndpoints({
    clock,
    operatorDefault: options.prometheus,
    readSecret: (namespace) => secretReader(cluster, namespace, stopping),
  });
  const queue = new WorkQueue({ clock, metrics: telemetry.queue });
  const rightOfWay = new RightOfWay(clock);
  const specs = new Specs(inspectQuery, await crdProblem(cluster, clock), checks);
  const manifests = manifestsOf(options, { cluster, rightOfWay, stopping });
  const monitoring = monitoringOf(options, metrics, rules);
  const board = { cluster, web, jobs, evidence, watching, stopping, onChange };
  const suites = suitesOf(options, board);
  const shell: Reconciler = {
    clock,
    cluster,
    endpoints,
    events,
    people,
    logger,
    index: new RolloutIndex(),
    jobs,
    decisions: new DecisionIndex(),
    decisionPolicy: new DecisionPolicyReader(cluster, clock),
    specs,
    ask: createAskMetrics(metrics, endpointOf),
    routers: createRouters(cluster, logger),
    workloads: createWorkloads({ cluster, logger, watchState: watching.workloads }),
    rightOfWay,
    turns: turnsOf(options, queue),
    manifests,
    evidence,
    prober: createProber(web),
    suites,
    chain: createChainChecks({
      clock,
      logger,
      monitoring,
      endpointOf,
      specs,
      suites,
      makesRules: (rollout) => manifests.has(rollout, 'PrometheusRule'),
      onChange,
      stopping,
    }),
    routesWatched: watching.usedBy,
    observer: telemetry.reconciles,
  };
  const controller = new Controller({ shell, queue, concurrency: options.concurrency });
  used = (kind, key) => controller.used(kind, key);
  lookAt = (rollout) => controller.look(rollout);
  watching.start(controller);
  return { cluster, events, people, evidence, metrics, monitoring, web, controller };
}

function turnsOf({ telemetry }: OperatorOptions, queue: WorkQueue): Turns {
  return new Turns({
    placesMax: WRITERS_MAX,
    call: (key) => queue.add(key, { urgent: true }),
    onWaiting: telemetry.writesWaiting,
  });
}

function suitesOf(
  { clock, logger }: OperatorOptions,
  parts: {
    readonly cluster: KubeCluster;
    readonly web: Web;
    readonly jobs: JobRunner;
    readonly evidence: EvidenceLog;
    readonly watching: Watching;
    readonly stopping: AbortSignal;
    readonly onChange: Controller['look'];
  },
): Reconciler['suites'] {
  const { watching, evidence: archive, stopping, onChange } = parts;
  const watched: Watching['suitesIn'] = (namespace, signal) => watching.suitesIn(namespace, signal);
  return createSuiteBoard({
    clock,
    logger,
    archive,
    runners: createSuiteRunners({ ...parts, logs: parts.cluster, clock, watched }),
    onChange,
    onDropped: (order) =>
      logger.info(fieldsOfOrder(order), 'a suite was due while it still ran, and is not run twice'),
    stopping,
  });
}

function manifestsOf(
  { manifests: source, clock, logger }: OperatorOptions,
  parts: {
    readonly cluster: KubeCluster;
    readonly rightOfWay: RightOfWay;
    readonly stopping: AbortSignal;
  },
): Reconciler['manifests'] {
  if (source === undefined) return noManifests;
  return createManifestKeeper({ source, clock, logger, ...parts });
}

function metricsOf({ clock, logger, query, telemetry }: OperatorOptions): PrometheusSource {
  const observe = telemetry.queries;
  const kept = { keepMs: ANSWERS_KEPT_MS, listsKeptMs: LISTS_KEPT_MS };
  return createMetricSource({ clock, logger, ...query, ...kept, observe });
}

function monitoringOf(
  { clock, query, alertmanager, grafana }: OperatorOptions,
  source: PrometheusSource,
  addressRules: AddressRules,
): Monitoring {
  return createMonitoringSystems({
    source,
    clock,
    ...query,
    addressRules,
    alertmanager: alertmanager ?? (() => undefined),
    grafana: grafana ?? (() => undefined),
  });
}

function eventsOf({ clock, logger, lease }: OperatorOptions, cluster: KubeCluster): Events {
  return new Events({
    cluster,
    clock,
    logger,
    reportingController: 'genesis-rollout',
    reportingInstance: lease?.identity ?? 'genesis-rollout',
  });
}

function peopleOf(
  options: OperatorOptions,
  parts: {
    readonly cluster: KubeCluster;
    readonly leadership: Leadership;
    readonly store: EvidenceStore;
  },
): People {
  const { ownNamespace: namespace, telemetry } = options;
  return createPeople({ ...options, ...parts, namespace, observe: telemetry.notices });
}

function storeOf({ evidenceDirectory }: OperatorOptions, cluster: KubeCluster): EvidenceStore {
  if (evidenceDirectory !== undefined) return createDirectoryStore(evidenceDirectory);
  return createConfigMapStore({ cluster });
}

function checksBy(rules: AddressRules, { policy }: Notifications): OutsideChecks {
  const known = [...policy.channels];
  return {
    urlProblem: (url) => urlProblem(url, rules),
    patternProblem,
    channelProblem: (name) => channelProblem(name, known),
  };
}

/** Looks under way may finish, a rollback above all; the lease is given back before the connections close. */
function closingSteps(
  { cluster, events, people, evidence, metrics, monitoring, web, controller }: Parts,
  election: Election,
  stopping: AbortController,
): ClosingStep[] {
  const drain = async (): Promise<void> => {
    await controller.drain();
    stopping.abort(new Error('the operator is being stopped'));
  };
  return [
    { name: 'workers', limitMs: CLOSING_MAX_MS, close: drain },
    { name: 'people', limitMs: 3_000, close: (signal) => people.close(signal) },
    { name: 'evidence', limitMs: 3_000, close: (signal) => evidence.close(signal) },
    { name: 'events', limitMs: 2_000, close: (signal) => events.close(signal) },
    { name: 'lease', limitMs: 3_000, close: () => election.release() },
    { name: 'queries', limitMs: 1_000, close: () => metrics.close() },
    { name: 'monitoring', limitMs: 1_000, close: () => monitoring.close() },
    { name: 'web', limitMs: 1_000, close: () => web.close() },
    { name: 'connections', limitMs: 3_000, close: () => cluster.close() },
  ];
}

function elect(options: OperatorOptions): Election {
  const { lease, source, version, clock, logger, telemetry } = options;
  if (lease === undefined) {
    telemetry.leading(true);
    return createAlwaysLeader();
  }
  const onChange = (isLeading: boolean) => telemetry.leading(isLeading);
  return createElection({ ...lease, source, version, clock, logger, onChange });
}

const SYNC_POLL_MS = 25;

async function whenSynced(cluster: KubeCluster, clock: Clock, signal: AbortSignal): Promise<void> {
  while (!cluster.isSynced) await clock.sleep(SYNC_POLL_MS, signal);
}
