/** One process of the operator: the real shell and engine over its own client, which can die at any request. */
import { decisionResource } from '#api/names.ts';
import { rolloutSpecSchema } from '#api/rollout.ts';
import { type EvidenceKeeper, noEvidence } from '#controller/evidence.ts';
import { EvidenceLog } from '#controller/evidence-log.ts';
import { type Reconciler, type Return, reconcile } from '#controller/reconcile.ts';
import type { Answer, MetricQuestion } from '#core/answer.ts';
import type { EvidenceLine } from '#core/record.ts';
import type { DecisionPolicy } from '#core/snapshot.ts';
import { createConfigMapStore } from '#evidence/config-map-store.ts';
import type { EventNote } from '#ports/event-recorder.ts';
import type { EvidenceStore } from '#ports/evidence-store.ts';
import { silentLogger } from '#ports/logger.ts';
import type { SuiteOutcome } from '#ports/suite-runner.ts';
import { createProber } from '#probes/prober.ts';
import { createSuiteBoard } from '#suites/suite-board.ts';
import { type FakeApiServer, FakeCluster, type FakeRequest } from '#test/fakes/cluster.ts';
import { innerShell } from '#test/shell.ts';
import { key, rolloutResource, routeResource } from './scenario.ts';
import { type SimTime, systemTimeOf, Timers } from './time.ts';

/** The process was killed: nothing after this point of it runs. */
export class Killed extends Error {}

export interface ProcessWorld {
  readonly time: SimTime;
  readonly server: FakeApiServer;
  readonly ask: (question: MetricQuestion) => Answer;
  readonly isUp: (url: string) => boolean;
  /** What a run of the suite that starts now will bring, and after how long. */
  readonly suite: () => { readonly tookMs: number; readonly outcome: SuiteOutcome };
  readonly ready: (service: string) => number;
  readonly decisionPolicy: () => DecisionPolicy;
  readonly keepsEvidence: boolean;
  /** Called before and after each request; may throw, write as another, or let time pass. */
  readonly onRequest: (moment: 'before' | 'after', request: FakeRequest) => void;
  readonly onEvent: (note: EventNote) => void;
  /** The store has taken these lines. */
  readonly onKept: (lines: readonly EvidenceLine[]) => void;
}

export class Process {
  readonly cluster: FakeCluster;
  readonly timers = new Timers();
  readonly #world: ProcessWorld;
  readonly #evidence: EvidenceKeeper;
  readonly #shell: Reconciler;
  readonly #stopping = new AbortController();
  /** When to look next, by true time; undefined: only on a change. */
  wakeAtMs: number | undefined;
  failures = 0;
  isDead = false;
  readonly bornMs: number;
  /** Since when it can know what processes before it have kept, by true time. */
  archiveReadMs: number | undefined;
  /** Visits to the store that are under way. */
  #visits = 0;

  constructor(world: ProcessWorld) {
    this.#world = world;
    this.bornMs = world.time.nowMs;
    if (!world.keepsEvidence) this.archiveReadMs = this.bornMs;
    this.wakeAtMs = world.time.nowMs;
    this.cluster = new FakeCluster({ server: world.server });
    this.cluster.before = (request) => this.#request('before', request);
    this.cluster.after = (request) => this.#request('after', request);
    this.#evidence = this.#newEvidence();
    this.#shell = this.#newShell();
    const { decisions, index } = this.#shell;
    for (const object of this.cluster.cachedAll(decisionResource)) decisions.set(object);
    this.cluster.onEvent(({ resource, object, type }) => {
      if (resource.kind === decisionResource.kind) {
        if (type === 'deleted') decisions.remove(object);
        else decisions.set(object);
      }
      const isOurs = [rolloutResource, routeResource, decisionResource].some(
        ({ kind }) => kind === resource.kind,
      );
      if (isOurs) this.#lookSoon();
    });
    const object = this.cluster.cached(rolloutResource, key);
    const spec = rolloutSpecSchema.safeParse(object?.['spec']);
    if (spec.success) index.set({ ...key, createdAtMs: 0, traffic: spec.data.traffic });
  }

  look(): Promise<Return> {
    return reconcile(key, this.#shell, this.#stopping.signal);
  }

  /** Lets everything happen that waits for nothing but this process itself. */
  async settle(): Promise<void> {
    do await new Promise((resolve) => setImmediate(resolve));
    while (this.#visits > 0);
  }

  die(): void {
    this.isDead = true;
    this.timers.clear();
    this.#stopping.abort(new Killed());
  }

  #lookSoon(): void {
    const soonMs = this.#world.time.nowMs + 50;
    this.wakeAtMs = Math.min(this.wakeAtMs ?? Number.POSITIVE_INFINITY, soonMs);
  }

  #request(moment: 'before' | 'after', request: FakeRequest): void {
    if (this.isDead) throw new Killed();
    try {
      this.#world.onRequest(moment, request);
    } catch (error) {
      if (error instanceof Killed) this.die();
      throw error;
    }
  }

  #newShell(): Reconciler {
    const world = this.#world;
    const clock = systemTimeOf(world.time, this.timers);
    return {
      ...innerShell(clock, this.cluster),
      endpoints: { ready: (_, service) => world.ready(service) },
      decisionPolicy: { read: () => Promise.resolve(world.decisionPolicy()) },
      ask: (question) => Promise.resolve(world.ask(question)),
      evidence: this.#evidence,
      prober: createProber({
        ask: ({ url }) =>
          Promise.resolve({
            type: 'answer',
            status: world.isUp(url) ? 200 : 503,
            contentType: '',
            text: '',
            isCut: false,
          }),
      }),
      suites: this.#newSuites(),
      events: { record: world.onEvent },
    };
  }

  #newSuites(): Reconciler['suites'] {
    const clock = systemTimeOf(this.#world.time, this.timers);
    const run = async (): Promise<SuiteOutcome> => {
      const { tookMs, outcome } = this.#world.suite();
      await clock.sleep(tookMs);
      return outcome;
    };
    return createSuiteBoard({
      clock,
      logger: silentLogger,
      runners: { http: { run }, job: { run } },
      archive: this.#evidence,
      onChange: () => this.#lookSoon(),
      onDropped: () => undefined,
      stopping: this.#stopping.signal,
    });
  }

  #newEvidence(): EvidenceKeeper {
    if (!this.#world.keepsEvidence) return noEvidence;
    return new EvidenceLog({
      store: this.#counted(createConfigMapStore({ cluster: this.cluster })),
      clock: systemTimeOf(this.#world.time, this.timers),
      logger: silentLogger,
      onChange: () => this.#lookSoon(),
    });
  }

  /** Compression takes real time, which must not pass in the simulated one. */
  #counted(store: EvidenceStore): EvidenceStore {
    const counted = async <T>(work: Promise<T>): Promise<T> => {
      this.#visits += 1;
      try {
        return await work;
      } finally {
        this.#visits -= 1;
      }
    };
    return {
      runs: (...given) =>
        counted(
          store.runs(...given).then((runs) => {
            if (runs.length === 0) this.archiveReadMs ??= this.#world.time.nowMs;
            return runs;
          }),
        ),
      append: (segment, lines, signal) =>
        counted(
          store.append(segment, lines, signal).then((lost) => {
            this.#world.onKept(lines.filter((line) => !lost.includes(line)));
            return lost;
          }),
        ),
      close: (...given) => counted(store.close(...given)),
      read: (...given) =>
        counted(
          store.read(...given).then((lines) => {
            this.archiveReadMs ??= this.#world.time.nowMs;
            return lines;
          }),
        ),
      writeReport: (...given) => counted(store.writeReport(...given)),
      reportAt: (owner, runId) => store.reportAt(owner, runId),
      remove: (...given) => counted(store.remove(...given)),
    };
  }
}
