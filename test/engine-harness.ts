/** The engine's shell of `simulate` with a world that a test can change at any time, and shorthands for assertions. */
import type { RolloutSpecInput } from '#api/rollout.ts';
import type { RolloutStatus, TriggerStatus } from '#api/status.ts';
import type { Answer, QueryFault, Question } from '#core/answer.ts';
import type { ChainState } from '#core/chain.ts';
import type { Action, Decision } from '#core/decision.ts';
import type { JobState, Snapshot } from '#core/snapshot.ts';
import { EngineShell } from '#simulate/engine-shell.ts';
import type { Crash } from '#simulate/shell-options.ts';
import type { VirtualRoute } from '#simulate/virtual-route.ts';
import type { VirtualSuiteRun } from '#simulate/virtual-suites.ts';
import {
  answerTo,
  namespace,
  resolved,
  rolloutName,
  rolloutSpec,
  type SeriesOf,
  suiteRun,
  T0,
} from './builders.ts';
import { SeenProbes } from './seen-probes.ts';
import { assertStands } from './stands.ts';
import { type ChainTruth, VirtualChain } from './virtual-chain.ts';

export type { Crash } from '#simulate/shell-options.ts';
export type FakeRoute = VirtualRoute;

export interface World {
  /** What Prometheus has stored. */
  series: SeriesOf;
  /** How Prometheus fails now, whatever it has stored. */
  fault: (nowMs: number, question: Question) => QueryFault | undefined;
  skewMs: number;
  ready: (arm: 'stable' | 'canary', nowMs: number) => number | undefined;
  /** Whether a URL answers as it should, asked live; undefined: this process could not ask. */
  probe: (url: string, nowMs: number) => boolean | undefined;
  /** How a run of a health suite that starts now will go; see `suiteRun` in the builders. */
  suite: (name: string, nowMs: number) => VirtualSuiteRun;
  /** The metric chain; undefined: nobody checks it. */
  chain: ChainTruth | undefined;
  /** How far a Job is. */
  job: (name: string, createdAtMs: number, nowMs: number) => JobState;
  /** What comes of a write to a route: `lost` is an API server that does not answer. */
  write: (route: FakeRoute, action: Action, nowMs: number) => 'done' | 'lost';
}

interface GenesisRollout {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly generation: number;
    readonly resourceVersion: string;
  };
  readonly spec: RolloutSpecInput;
  readonly status: RolloutStatus;
}

export interface HarnessOptions {
  /** What differs from the builder's own spec. */
  readonly spec?: Partial<RolloutSpecInput>;
  /** The whole spec, with nothing of the builder's. */
  readonly input?: RolloutSpecInput;
  readonly world?: Partial<World>;
  readonly startAt?: number;
  /** What the series say of the time before the start is stable's history. */
  readonly hasHistory?: boolean;
  /** How every route stands before the run. */
  readonly route?: Partial<FakeRoute>;
}

export class EngineHarness extends EngineShell<RolloutSpecInput> {
  readonly world: World;
  readonly #probes = new SeenProbes();
  /** What the world says now counts, whoever has changed it. */
  readonly checks = new VirtualChain((nowMs) => this.world.chain?.(nowMs) ?? { findings: [] });

  constructor(options: HarnessOptions = {}) {
    const input = options.input ?? rolloutSpec(options.spec);
    super({
      namespace,
      name: rolloutName,
      input,
      resolve: resolved,
      canaryService: input.traffic.canary?.service,
      startAtMs: options.startAt ?? T0,
      route: options.route ?? {},
      hasHistory: options.hasHistory ?? false,
    });
    this.world = {
      series: () => 0,
      fault: () => undefined,
      skewMs: 0,
      ready: () => 2,
      probe: () => true,
      suite: () => suiteRun({ passed: 100 }),
      chain: undefined,
      job: () => ({ type: 'succeeded' }),
      write: () => 'done',
      ...options.world,
    };
  }

  protected override record(snapshot: Snapshot, decision: Decision): void {
    super.record(snapshot, decision);
    assertStands(snapshot, decision);
  }

  /** As the API server hands it out. */
  object(): GenesisRollout {
    const hasStatus = Object.keys(this.status).length > 0;
    return {
      apiVersion: 'genesis.dev/v1alpha1',
      kind: 'GenesisRollout',
      metadata: {
        name: rolloutName,
        namespace,
        generation: this.generation,
        resourceVersion: String(this.version),
      },
      spec: this.input,
      status: hasStatus ? this.status : { observedGeneration: -1 },
    };
  }

  /** Canary's share as it is on the only, or the named, route. */
  weight(name = 'web'): number {
    return this.route(name).weight;
  }

  trigger(name = 'errors'): TriggerStatus | undefined {
    return this.status.triggers?.find((one) => one.name === name);
  }

  condition(type: string): { status: string; reason: string; message: string } | undefined {
    return this.status.conditions?.find((one) => one.type === type);
  }

  passedAt(point: string): string | undefined {
    return this.status.plan?.find((one) => one.name === point)?.passedAt;
  }

  dueAt(point: string): string | undefined {
    return this.status.plan?.find((one) => one.name === point)?.dueAt;
  }

  /** Reasons of all events so far, in order. */
  told(): string[] {
    return this.events.map((event) => event.reason);
  }

  /** Somebody changes the spec. */
  edit(overrides: Partial<RolloutSpecInput>): void {
    this.replaceSpec({ ...this.input, ...overrides });
  }

  runFor(ms: number): void {
    this.runUntil(this.now + ms);
  }

  /** Nobody looks until then; whoever comes looks at once. */
  sleepUntil(atMs: number): void {
    this.now = atMs;
    this.nextAt = atMs;
  }

  /** One look in two dies, each time at another place, and the next process looks a second time. */
  runThroughCrashes(
    untilMs: number,
    crashes: readonly Crash[] = ['beforeFirst', 'beforeStatus', 'beforeActions'],
  ): void {
    for (let look = 0; (this.nextAt ?? Infinity) <= untilMs; look += 1) {
      const dies = look % 2 === 0;
      if (dies) this.crashNext = crashes[(look / 2) % crashes.length];
      this.now = this.nextAt ?? this.now;
      this.look();
      if (dies) this.nextAt = this.now;
    }
  }

  protected override ready(arm: 'stable' | 'canary'): number | undefined {
    return this.world.ready(arm, this.now);
  }

  protected override write(route: FakeRoute, action: Action): 'done' | 'lost' {
    return this.world.write(route, action, this.now);
  }

  protected override job(name: string, createdAtMs: number): JobState {
    return this.world.job(name, createdAtMs, this.now);
  }

  protected override suite(name: string): VirtualSuiteRun {
    return this.world.suite(name, this.now);
  }

  protected override chain(): ChainState | undefined {
    return this.world.chain === undefined ? undefined : this.checks.stateAt(this.now);
  }

  protected override checkChain(action: Extract<Action, { readonly type: 'CheckChain' }>): void {
    this.checks.check(action, this.now);
  }

  override nextEnd(): number | undefined {
    const ends = [super.nextEnd(), this.checks.nextEndAfter(this.now)];
    const times = ends.filter((atMs) => atMs !== undefined);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  override restart(): void {
    super.restart();
    this.#probes.forget();
    this.checks.restart();
  }

  protected override answer(question: Question): Answer {
    if (question.type === 'probe' || question.type === 'probeRange') {
      return this.#probes.answer(question, (url) => this.world.probe(url, this.now));
    }
    const fault = this.world.fault(this.now, question);
    if (fault !== undefined) return { type: 'error', fault, message: `Prometheus: ${fault}` };
    const answer = answerTo(question, this.world.series);
    return answer.type === 'error' ? answer : { ...answer, skewMs: this.world.skewMs };
  }
}
