/** The course of the benchmark: start, steady state, scattered faults, restart with faults that have held, storm. */
import { type ChildProcess, spawn } from 'node:child_process';
import { copyFile, mkdir, readdir, readFile } from 'node:fs/promises';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'undici';
import {
  type AuditEvent,
  type ControlPlane,
  freePorts,
  gatewayApiCrds,
  type Part,
  readAudit,
  startControlPlane,
  startPart,
} from '#scripts/testbed/index.ts';
import { usageOf } from './process-meter.ts';
import { type Quantiles, quantiles } from './quantiles.ts';
import { type RouteWatch, watchRoutes } from './route-watch.ts';
import type { StubStats } from './stub.ts';
import { createWorld, FOR_MS, INTERVAL_MS, NAMESPACE, rolloutName } from './world.ts';

export interface BenchOptions {
  readonly rollouts: number;
  readonly steadySeconds: number;
  readonly scattered: number;
  readonly concurrency: number;
  readonly sharedQuery: boolean;
  readonly profile: boolean;
  /** A folder for the logs of controller and API server, and for profiles. */
  readonly logs: string | undefined;
}

export interface Figures {
  readonly options: BenchOptions;
  readonly machine: { readonly cores: number; readonly model: string; readonly memoryGiB: number };
  readonly startedAt: string;
  /** From the start of the process until every rollout had its first weight. */
  readonly firstWeightsSeconds: number;
  readonly steady: {
    readonly seconds: number;
    readonly queriesPerSecond: number;
    readonly apiWritesPerSecond: number;
    readonly apiReadsPerSecond: number;
    readonly leaseWritesPerSecond: number;
    /** Snapshots into ConfigMaps: a read and a write for each rollout and `snapshots.interval`. */
    readonly evidenceWritesPerSecond: number;
    readonly evidenceReadsPerSecond: number;
    readonly cpuMillicores: number;
    readonly residentMB: number;
    readonly peakMB: number;
    readonly heapUsedMB: number;
    readonly heapTotalMB: number;
    readonly externalMB: number;
  };
  /** Seconds from "held for its time" until the route read 0. */
  readonly scattered: Quantiles;
  readonly storm: Quantiles;
  /** From the start of a process whose rollouts had breaches that had held already, until their routes read 0. */
  readonly restart: Quantiles;
  readonly peakMBAtEnd: number;
}

const RESTARTED = 10;
/** For a thousand rollouts: more take longer. */
const STARTED_MAX_MS = 300_000;
const MANIFESTS_MAX_MS = 300_000;

/** Dashboards are the last of what is made for a rollout, and the only kind that this API server knows. */
function isManifest({ objectRef }: AuditEvent): boolean {
  return objectRef?.name?.endsWith('-dashboard') === true;
}

export class Bench {
  readonly #options: BenchOptions;
  #plane: ControlPlane | undefined;
  #stub: ChildProcess | undefined;
  #stubUrl = '';
  #controller: Part | undefined;
  #routes: RouteWatch | undefined;
  #metricsUrl = '';

  constructor(options: BenchOptions) {
    this.#options = options;
  }

  async run(): Promise<Figures> {
    const { rollouts, sharedQuery, scattered } = this.#options;
    const names = Array.from({ length: rollouts }, (_, index) => rolloutName(index));
    const startedAt = new Date().toISOString();
    this.#say('starting the control plane and the metrics stub');
    const plane = await this.#startPlane();
    await this.#startStub(names);
    this.#say(`creating ${rollouts} rollouts with their routes`);
    await createWorld(plane.client, { rollouts, sharedQuery });
    this.#routes = await watchRoutes(plane);
    const firstWeightsSeconds = await this.#startController(() =>
      names.every((name) => this.#routes?.weights.get(name) === 50),
    );
    this.#say(`all at 50 % after ${firstWeightsSeconds.toFixed(1)} s; settling`);
    await sleep(3 * INTERVAL_MS);
    await this.#manifestsMade();
    const steady = await this.#steady();
    const first = names.slice(0, scattered);
    const restarted = names.slice(scattered, scattered + RESTARTED);
    const rest = names.slice(scattered + RESTARTED);
    this.#say(`${first.length} rollouts fail at moments of their own`);
    const scatteredSeconds = await this.#fail(first, 60_000);
    this.#say(`a restart finds ${restarted.length} breaches that have held`);
    const restartSeconds = await this.#restart(restarted);
    await sleep(2 * INTERVAL_MS);
    this.#say(`${rest.length} rollouts fail at once`);
    const stormSeconds = await this.#fail(rest, 0);
    const pid = this.#controller?.pid ?? 0;
    return {
      options: this.#options,
      machine: {
        cores: availableParallelism(),
        model: cpus()[0]?.model ?? '',
        memoryGiB: Math.round(totalmem() / 2 ** 30),
      },
      startedAt,
      firstWeightsSeconds,
      steady,
      scattered: quantiles(scatteredSeconds),
      restart: quantiles(restartSeconds),
      storm: quantiles(stormSeconds),
      peakMBAtEnd: Math.round((await usageOf(pid)).peakBytes / 1e6),
    };
  }

  async stop(): Promise<void> {
    this.#routes?.stop();
    await this.#controller?.stop();
    await this.#keepLogs();
    this.#stub?.kill();
    await this.#plane?.stop();
  }

  /** The run folder goes with the control plane. */
  async #keepLogs(): Promise<void> {
    const { logs } = this.#options;
    const plane = this.#plane;
    if (logs === undefined || plane === undefined) return;
    await mkdir(logs, { recursive: true });
    const names = (await readdir(plane.runFolder)).filter((name) =>
      /^(?:controller\.log|audit\.log|.*\.(?:cpu|heap)profile)$/.test(name),
    );
    for (const name of names) await copyFile(join(plane.runFolder, name), join(logs, name));
  }

  #thousands(): number {
    return Math.max(1, this.#options.rollouts / 1000);
  }

  #say(what: string): void {
    process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${what}\n`);
  }

  async #startPlane(): Promise<ControlPlane> {
    const crds = ['crds', ...(await gatewayApiCrds())];
    const plane = await startControlPlane({
      crds,
      auditPolicy: 'Metadata',
      controllerManager: false,
    });
    this.#plane = plane;
    return plane;
  }

  async #startStub(names: readonly string[]): Promise<void> {
    const script = new URL('./stub.ts', import.meta.url).pathname;
    const stub = spawn(process.execPath, [script], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#stub = stub;
    const port = await new Promise<string>((resolve) =>
      stub.stdout.once('data', (data) => resolve(String(data).trim())),
    );
    this.#stubUrl = `http://127.0.0.1:${port}`;
    await this.#post('/names', names);
  }

  async #post(path: string, body: unknown): Promise<void> {
    const options = { method: 'POST', body: JSON.stringify(body) } as const;
    const { body: answer } = await request(`${this.#stubUrl}${path}`, options);
    await answer.dump();
  }

  async #stats(): Promise<StubStats> {
    const { body } = await request(`${this.#stubUrl}/stats`);
    return (await body.json()) as StubStats;
  }

  /** @returns seconds from the start of the process until `isDone` */
  async #startController(isDone: () => boolean): Promise<number> {
    const plane = this.#plane;
    if (plane === undefined) throw new Error('the control plane runs first');
    const [metrics, health] = await freePorts(2);
    this.#metricsUrl = `http://127.0.0.1:${metrics}/metrics`;
    const startedMs = performance.now();
    const profile = this.#options.profile
      ? [
          '--cpu-prof',
          `--cpu-prof-dir=${plane.runFolder}`,
          '--heap-prof',
          `--heap-prof-dir=${plane.runFolder}`,
        ]
      : [];
    const flags = {
      kubeconfig: plane.kubeconfigPath,
      namespace: NAMESPACE,
      'prometheus-url': this.#stubUrl,
      'metrics-address': `127.0.0.1:${metrics}`,
      'health-address': `127.0.0.1:${health}`,
      concurrency: this.#options.concurrency,
      'leader-elect': true,
      'log-level': this.#options.logs === undefined ? 'warn' : 'info',
    };
    this.#controller = await startPart({
      name: 'controller',
      command: process.execPath,
      args: [
        ...profile,
        'dist/controller.mjs',
        ...Object.entries(flags).map(([flag, value]) => `--${flag}=${String(value)}`),
      ],
      runFolder: plane.runFolder,
    });
    await this.#until(isDone, STARTED_MAX_MS * this.#thousands());
    return (performance.now() - startedMs) / 1000;
  }

  async #until(isDone: () => boolean, withinMs: number): Promise<void> {
    const deadlineMs = performance.now() + withinMs;
    while (!isDone()) {
      if (this.#controller?.isRunning() === false) {
        throw new Error(
          `the controller has ended; its last words: ${await lastWords(this.#controller)}`,
        );
      }
      if (performance.now() > deadlineMs) {
        const weights = [...(this.#routes?.weights.values() ?? [])];
        const at50 = weights.filter((weight) => weight === 50).length;
        throw new Error(
          `not done within ${withinMs / 1000} s: ${at50} of ${weights.length} routes are at 50; see ${this.#plane?.runFolder}/controller.log`,
        );
      }
      await sleep(20);
    }
  }

  /** What is made for people after a start comes in line, one object at a time: it is no part of the steady state. */
  async #manifestsMade(): Promise<void> {
    const limitMs = MANIFESTS_MAX_MS * this.#thousands();
    const deadlineMs = performance.now() + limitMs;
    for (;;) {
      const since = new Date();
      await sleep(INTERVAL_MS);
      const events = await readAudit(this.#plane?.auditLogPath ?? '', since);
      if (!events.some(isManifest)) return;
      if (performance.now() > deadlineMs) {
        throw new Error(`dashboards are still written ${limitMs / 1000} s after the start`);
      }
    }
  }

  async #steady(): Promise<Figures['steady']> {
    const { steadySeconds } = this.#options;
    const pid = this.#controller?.pid ?? 0;
    this.#say(`watching the steady state for ${steadySeconds} s`);
    const since = new Date();
    const [usage, stats] = [await usageOf(pid), await this.#stats()];
    const startedMs = performance.now();
    await sleep(steadySeconds * 1000);
    const seconds = (performance.now() - startedMs) / 1000;
    const [usageAfter, statsAfter] = [await usageOf(pid), await this.#stats()];
    const events = (await readAudit(this.#plane?.auditLogPath ?? '', since)).filter((event) =>
      event.userAgent?.startsWith('genesis-rollout/'),
    );
    const isRead = (verb: string) => verb === 'get' || verb === 'list' || verb === 'watch';
    const isLease = (event: (typeof events)[number]) => event.objectRef?.resource === 'leases';
    const perSecond = (count: number) => count / seconds;
    const asked = statsAfter.instants + statsAfter.ranges - stats.instants - stats.ranges;
    // The benchmark's rollouts have no feature flag: what is no dashboard is evidence.
    const isEvidence = (event: (typeof events)[number]) =>
      event.objectRef?.resource === 'configmaps' && !isManifest(event);
    const evidence = events.filter(isEvidence);
    const work = events.filter((event) => !isLease(event) && !isEvidence(event));
    const text = await (await request(this.#metricsUrl)).body.text();
    const megabytes = (name: string) =>
      Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]) / 1e6;
    return {
      heapUsedMB: megabytes('nodejs_heap_size_used_bytes'),
      heapTotalMB: megabytes('nodejs_heap_size_total_bytes'),
      externalMB: megabytes('nodejs_external_memory_bytes'),
      seconds,
      queriesPerSecond: perSecond(asked),
      apiWritesPerSecond: perSecond(work.filter((event) => !isRead(event.verb)).length),
      apiReadsPerSecond: perSecond(work.filter((event) => isRead(event.verb)).length),
      leaseWritesPerSecond: perSecond(events.filter(isLease).length),
      evidenceWritesPerSecond: perSecond(evidence.filter((event) => !isRead(event.verb)).length),
      evidenceReadsPerSecond: perSecond(evidence.filter((event) => isRead(event.verb)).length),
      cpuMillicores: ((usageAfter.cpuSeconds - usage.cpuSeconds) / seconds) * 1000,
      residentMB: usageAfter.residentBytes / 1e6,
      peakMB: usageAfter.peakBytes / 1e6,
    };
  }

  /** Makes rollouts fail within `spreadMs` from now. @returns seconds from held to route at 0, for each */
  async #fail(names: readonly string[], spreadMs: number): Promise<number[]> {
    const baseMs = Date.now() + 1000;
    const faults = new Map(
      names.map((name, index) => [name, baseMs + (index / names.length) * spreadMs]),
    );
    await this.#post('/faults', Object.fromEntries(faults));
    await this.#until(
      () => names.every((name) => this.#routes?.weights.get(name) === 0),
      spreadMs + FOR_MS + 4 * INTERVAL_MS + 60_000,
    );
    return names.map((name) => {
      const seenMs = Math.ceil((faults.get(name) ?? 0) / INTERVAL_MS) * INTERVAL_MS;
      return ((this.#routes?.changedAtMs.get(name) ?? 0) - seenMs - FOR_MS) / 1000;
    });
  }

  /** The controller is killed; meanwhile breaches hold for their time; a new process finds them. */
  async #restart(names: readonly string[]): Promise<number[]> {
    await this.#controller?.stop({ signal: 'SIGTERM' });
    const sinceMs = Date.now() - 2 * FOR_MS;
    await this.#post('/faults', Object.fromEntries(names.map((name) => [name, sinceMs])));
    const startedMs = Date.now();
    await this.#startController(() => names.every((name) => this.#routes?.weights.get(name) === 0));
    return names.map((name) => ((this.#routes?.changedAtMs.get(name) ?? 0) - startedMs) / 1000);
  }
}

async function lastWords(part: Part): Promise<string> {
  const lines = (await readFile(part.logPath, 'utf8')).trim().split('\n');
  return lines.slice(-5).join('\n');
}
