/** One process of the operator: the real shell and engine over its own client, which can die at any request. */
import assert from 'node:assert/strict';
import { decisionResource } from '#api/names.ts';
import { createChainBoard } from '#controller/chain-board.ts';
import { type EvidenceKeeper, noEvidence } from '#controller/evidence.ts';
import { EvidenceLog } from '#controller/evidence-log.ts';
import { type Reconciler, type Return, reconcile } from '#controller/reconcile.ts';
import type { Answer, MetricQuestion } from '#core/answer.ts';
import type { ChainFinding } from '#core/chain.ts';
import type { EvidenceLine } from '#core/record.ts';
import type { DecisionPolicy } from '#core/snapshot.ts';
import { createConfigMapStore } from '#evidence/config-map-store.ts';
import { type LineCodec, pageOf, textOf } from '#evidence/lines.ts';
import type { EventNote } from '#ports/event-recorder.ts';
import type { EvidenceStore } from '#ports/evidence-store.ts';
import { silentLogger } from '#ports/logger.ts';
import type { SuiteOutcome } from '#ports/suite-runner.ts';
import { createProber } from '#probes/prober.ts';
import { type Turn, Turns } from '#runtime/turns.ts';
import { createSuiteBoard } from '#suites/suite-board.ts';
import { type FakeApiServer, FakeCluster, type FakeRequest } from '#test/fakes/cluster.ts';
import { innerShell } from '#test/shell.ts';
import { reportOf } from './chain-log.ts';
import { isFlag } from './flag.ts';
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
  /** What a check of the metric chain that begins now will find; `hangs`: it does not end. Undefined: nobody checks. */
  readonly chain: (() => readonly ChainFinding[] | 'hangs') | undefined;
  /** A check has ended. */
  readonly onChecked: (findings: readonly ChainFinding[]) => void;
  readonly ready: (service: string) => number;
  readonly decisionPolicy: () => DecisionPolicy;
  readonly keepsEvidence: boolean;
  /** Called before and after each request; may throw, write as another, or let time pass. */
  readonly onRequest: (moment: 'before' | 'after', request: FakeRequest) => void;
  readonly onEvent: (note: EventNote) => void;
  /** The store has taken these lines. */
  readonly onKept: (lines: readonly EvidenceLine[]) => void;
}

/** Compression takes real time, which must not pass in the simulated one. */
const plainText: LineCodec = {
  encode: (page) => Promise.resolve(Buffer.from(textOf(page))),
  decode: (bytes) => Promise.resolve(pageOf(bytes.toString())),
};

/** Longer than any deadline. */
const HANGS_MS = 600_000;
const CHECK_MS = 1_500;

export class Process {
  readonly cluster: FakeCluster;
  readonly timers = new Timers();
  readonly #world: ProcessWorld;
  readonly #evidence: EvidenceKeeper;
  readonly #shell: Reconciler;
  readonly #stopping = new AbortController();
  readonly #turns = new Turns({ placesMax: 1, call: () => this.#lookSoon() });
  #crowd: Turn | undefined;
  /** When to look next, by true time; undefined: only on a change. */
  wakeAtMs: number | undefined;
  failures = 0;
  isDead = false;
  readonly bornMs: number;
  /** Since when it can know what processes before it have kept, by true time. */
  archiveReadMs: number | undefined;

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
    const { decisions, index, specs } = this.#shell;
    for (const object of this.cluster.cachedAll(decisionResource)) decisions.set(object);
    this.cluster.onEvent(({ resource, object, type }) => {
      if (resource.kind === decisionResource.kind) {
        if (type === 'deleted') decisions.remove(object);
        else decisions.set(object);
      }
      const isOurs = [rolloutResource, routeResource, decisionResource].some(
        ({ kind }) => kind === resource.kind,
      );
      if (isOurs || isFlag(object)) this.#lookSoon();
    });
    const object = this.cluster.cached(rolloutResource, key);
    const spec = object === undefined ? undefined : specs.current(object, key).spec;
    if (spec !== undefined) index.set({ ...key, createdAtMs: 0, traffic: spec.traffic });
  }

  /** Other rollouts of this process take the only place, or give it back. */
  crowd(isCrowded: boolean): void {
    if (!isCrowded) {
      this.#crowd?.end();
      this.#crowd = undefined;
    } else if (this.#crowd === undefined) {
      this.#crowd = this.#turns.begin('others');
      assert.ok(this.#crowd.take({ isBeginning: false }), 'between two looks nobody has a place');
    }
  }

  look(): Promise<Return> {
    return reconcile(key, this.#shell, this.#stopping.signal);
  }

  /** Lets everything happen that waits for nothing but this process itself. */
  async settle(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
  }

  die(): void {
    this.isDead = true;
    this.timers.clear();
    this.cluster.close();
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
      turns: this.#turns,
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
      chain: this.#newChain(),
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

  #newChain(): Reconciler['chain'] {
    const { chain, onChecked, time } = this.#world;
    if (chain === undefined) return undefined;
    const clock = systemTimeOf(time, this.timers);
    return createChainBoard({
      clock,
      logger: silentLogger,
      check: async ({ generation }) => {
        const checkedAtMs = clock.now();
        const findings = chain();
        await clock.sleep(findings === 'hangs' ? HANGS_MS : CHECK_MS);
        if (findings === 'hangs') throw new Error('it hangs');
        onChecked(findings);
        return reportOf(findings, checkedAtMs, generation);
      },
      onChange: () => this.#lookSoon(),
      stopping: this.#stopping.signal,
    });
  }

  #newEvidence(): EvidenceKeeper {
    if (!this.#world.keepsEvidence) return noEvidence;
    return new EvidenceLog({
      store: this.#overheard(createConfigMapStore({ cluster: this.cluster, codec: plainText })),
      clock: systemTimeOf(this.#world.time, this.timers),
      logger: silentLogger,
      onChange: () => this.#lookSoon(),
    });
  }

  /** Tells the world what is known of the store. */
  #overheard(store: EvidenceStore): EvidenceStore {
    return {
      runs: async (...given) => {
        const runs = await store.runs(...given);
        if (runs.length === 0) this.archiveReadMs ??= this.#world.time.nowMs;
        return runs;
      },
      append: async (segment, lines, signal) => {
        const lost = await store.append(segment, lines, signal);
        this.#world.onKept(lines.filter((line) => !lost.includes(line)));
        return lost;
      },
      close: (...given) => store.close(...given),
      read: async (...given) => {
        const lines = await store.read(...given);
        this.archiveReadMs ??= this.#world.time.nowMs;
        return lines;
      },
      readReport: (...given) => store.readReport(...given),
      writeReport: (...given) => store.writeReport(...given),
      reportAt: (owner, runId) => store.reportAt(owner, runId),
      remove: (...given) => store.remove(...given),
    };
  }
}
