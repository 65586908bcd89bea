/**
 * The engine in virtual time: one rollout, one or more looks at an instant, then a jump to the next wake. It
 * does what the real shell does (`controller/reconcile.ts`), in the same order, against a world of fakes.
 */
import type { RolloutSpecInput } from '#api/rollout.ts';
import { type RolloutStatus, rolloutStatusSchema, type TriggerStatus } from '#api/status.ts';
import type { Answer, QueryFault, Question } from '#core/answer.ts';
import { decide } from '#core/decide.ts';
import type { Action, Decision, EventDraft } from '#core/decision.ts';
import type { RouteProblem, RouteReading } from '#core/route-reading.ts';
import type { RouteTarget, RunSpec } from '#core/run-spec.ts';
import type { ResolvedSpec, Snapshot } from '#core/snapshot.ts';
import {
  answered,
  answerTo,
  namespace,
  resolved,
  rolloutName,
  rolloutSpec,
  type SeriesOf,
  T0,
} from './builders.ts';

/** One route or flag as it stands in the cluster. */
export interface FakeRoute {
  readonly name: string;
  mode: 'read' | 'missing' | 'refused';
  /** Share of the Service that was canary when the harness was made. */
  weight: number;
  uniform: boolean;
  settled: boolean;
  writtenBy: string;
  owned: boolean;
  mark: string | undefined;
  isolated: boolean;
  problems: readonly RouteProblem[];
  resourceVersion: number;
}

export interface World {
  /** What Prometheus has stored. */
  series: SeriesOf;
  /** How Prometheus fails now, whatever it has stored. */
  fault: (nowMs: number, question: Question) => QueryFault | undefined;
  skewMs: number;
  ready: (arm: 'stable' | 'canary', nowMs: number) => number | undefined;
  /** What comes of a write to a route: `lost` is an API server that does not answer. */
  write: (route: FakeRoute, action: Action, nowMs: number) => 'done' | 'lost';
}

export interface Entry {
  readonly at: number;
  readonly rule: string;
  readonly phase: string;
  readonly step: string | undefined;
  /** Highest share read at the time of the look, before its actions. */
  readonly weight: number | undefined;
  readonly reason: string;
  readonly message: string;
  readonly actions: readonly string[];
  readonly events: readonly string[];
}

export interface HarnessOptions {
  /** What differs from the builder's own spec. */
  readonly spec?: Partial<RolloutSpecInput>;
  /** The whole spec, with nothing of the builder's. */
  readonly input?: RolloutSpecInput;
  readonly world?: Partial<World>;
  readonly startAt?: number;
  /** How every route stands before the run. */
  readonly route?: Partial<FakeRoute>;
}

/** Where a process dies: before the status is written, or before what follows it. */
export type Crash = 'beforeFirst' | 'beforeStatus' | 'beforeActions';

/** More looks at one instant than this go in circles. */
const LOOKS_MAX = 25;

export class EngineHarness {
  now: number;
  status: RolloutStatus = {};
  readonly world: World;
  readonly routes = new Map<string, FakeRoute>();
  readonly timeline: Entry[] = [];
  readonly events: (EventDraft & { readonly at: number })[] = [];
  readonly writes: { readonly at: number; readonly route: string; readonly weight: number }[] = [];
  readonly questions: Question[] = [];
  statusWrites = 0;
  hasFinalizer = false;
  request: string | undefined;
  conflict: string | undefined;
  deletionRequestedAtMs: number | undefined;
  generation = 1;
  crashNext: Crash | undefined;
  /** When somebody looks next; undefined until something changes. */
  nextAt: number | undefined;
  /** A token of the object, as resourceVersion is one. */
  version = 1;
  readonly #canaryService: string | undefined;
  readonly #records = new Map<string, ResolvedSpec>();
  #input: RolloutSpecInput;
  #wanted: ResolvedSpec;
  readonly #defaults: Partial<FakeRoute>;

  constructor(options: HarnessOptions = {}) {
    this.now = options.startAt ?? T0;
    this.nextAt = this.now;
    this.#input = options.input ?? rolloutSpec(options.spec);
    this.#wanted = resolved(this.#input);
    this.#canaryService = this.#input.traffic.canary?.service;
    this.#defaults = options.route ?? {};
    this.world = {
      series: () => 0,
      fault: () => undefined,
      skewMs: 0,
      ready: () => 2,
      write: () => 'done',
      ...options.world,
    };
    if (this.#wanted.type === 'ok')
      for (const one of this.#wanted.run.targets) this.route(one.name);
  }

  /** The route of this name, made as it is first asked for. */
  route(name = 'web'): FakeRoute {
    const known = this.routes.get(name);
    if (known !== undefined) return known;
    const route: FakeRoute = {
      name,
      mode: 'read',
      weight: 0,
      uniform: true,
      settled: true,
      writtenBy: 'kubectl',
      owned: false,
      mark: undefined,
      isolated: false,
      problems: [],
      resourceVersion: 1,
      ...this.#defaults,
    };
    this.routes.set(name, route);
    return route;
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
    this.#input = { ...this.#input, ...overrides };
    this.#wanted = resolved(this.#input);
    this.generation += 1;
    this.#touched();
  }

  annotate(text: string): void {
    this.request = text;
    this.#touched();
  }

  delete(): void {
    this.deletionRequestedAtMs = this.now;
    this.#touched();
  }

  /** Another writer sets a route's weight. */
  writeElsewhere(weight: number, name = 'web', writer = 'argocd'): void {
    const route = this.route(name);
    route.weight = weight;
    route.uniform = true;
    route.writtenBy = writer;
    route.resourceVersion += 1;
    this.nextAt = this.now;
  }

  /** Looks at every wake until `atMs`, and stands there. */
  runUntil(atMs: number): void {
    let looks = 0;
    let lookedAt = -1;
    while (this.nextAt !== undefined && this.nextAt <= atMs) {
      this.now = Math.max(this.now, this.nextAt);
      looks = this.now === lookedAt ? looks + 1 : 1;
      lookedAt = this.now;
      if (looks > LOOKS_MAX) throw new Error(`goes in circles: ${describe(this.timeline)}`);
      this.look();
    }
    this.now = Math.max(this.now, atMs);
  }

  runFor(ms: number): void {
    this.runUntil(this.now + ms);
  }

  /** Nobody looks until then; whoever comes looks at once. */
  sleepUntil(atMs: number): void {
    this.now = atMs;
    this.nextAt = atMs;
  }

  observe(): Snapshot {
    const recordedSpec = this.#records.get(this.status.specRecord ?? '');
    const recorded = recordedSpec?.type === 'ok' ? recordedSpec.run : undefined;
    const wanted = this.#wanted.type === 'ok' ? this.#wanted.run : undefined;
    const run = recorded ?? (this.status.runId === undefined ? undefined : wanted);
    const basis = run ?? wanted;
    const draft: Snapshot = {
      now: this.now,
      object: {
        namespace,
        name: rolloutName,
        uid: 'u-1',
        generation: this.generation,
        deletionRequestedAtMs: this.deletionRequestedAtMs,
        hasFinalizer: this.hasFinalizer,
        request: this.request,
      },
      wanted: this.#wanted,
      recorded: run,
      status: this.status,
      routes: (basis?.targets ?? []).map((target) => ({ target, reading: this.#read(target) })),
      ready: this.#ready(basis),
      conflict: this.conflict,
      answers: new Map(),
    };
    return answered(
      draft,
      (question) => this.#answer(question),
      (question) => this.questions.push(question),
    );
  }

  /** Observe, decide, checkpoint, act. */
  look(): Decision {
    const version = this.version;
    const isCut = this.crashNext !== undefined;
    const snapshot = this.observe();
    const decision = decide(snapshot);
    const before = this.#state();
    this.carryOut(snapshot, decision, version);
    const wakesNow = decision.wakeAtMs !== undefined && decision.wakeAtMs <= this.now;
    if (wakesNow && !isCut && this.#isStill(before)) {
      throw new Error(`wakes at once and nothing has changed: ${describe(this.timeline)}`);
    }
    return decision;
  }

  /**
   * What the shell does with a decision, as another leader may do with an old one.
   * @returns false when the status could not be written because the object has changed since `version`
   */
  carryOut(snapshot: Snapshot, decision: Decision, version: number): boolean {
    const before = this.#state();
    this.#record(snapshot, decision);
    const isWritten = this.#apply(snapshot, decision, version);
    this.nextAt = this.#isStill(before) ? decision.wakeAtMs : this.now;
    return isWritten;
  }

  #apply(snapshot: Snapshot, decision: Decision, version: number): boolean {
    const crash = this.crashNext;
    this.crashNext = undefined;
    if (crash === 'beforeFirst') return true;
    for (const action of decision.first) this.#act(action, snapshot);
    if (crash === 'beforeStatus') return true;
    if (decision.status !== snapshot.status) {
      if (version !== this.version) return false;
      // As the API server hands it out again: only what the schema knows, only what JSON can carry.
      this.status = rolloutStatusSchema.parse(JSON.parse(JSON.stringify(decision.status)));
      this.version += 1;
      this.statusWrites += 1;
    }
    const passed = passedCount(decision.status) - passedCount(snapshot.status);
    if (snapshot.status.runId === decision.status.runId && passed > 1) {
      throw new Error(`${passed} points at once: ${describe(this.timeline)}`);
    }
    this.events.push(...decision.events.map((event) => ({ ...event, at: this.now })));
    if (crash === 'beforeActions') return true;
    for (const action of decision.actions) this.#act(action, snapshot);
    return true;
  }

  #act(action: Action, known: Snapshot): void {
    switch (action.type) {
      case 'AddFinalizer':
        this.hasFinalizer = true;
        return;
      case 'RemoveFinalizer':
        this.hasFinalizer = false;
        return;
      case 'RecordSpec':
        if (!this.#records.has(action.name)) this.#records.set(action.name, this.#wanted);
        return;
      case 'ClearRequest':
        if (this.request === action.request) this.request = undefined;
        return;
      default:
        this.#writeRoute(action, known);
    }
  }

  #writeRoute(
    action: Extract<Action, { readonly target: RouteTarget }>,
    { routes }: Snapshot,
  ): void {
    const route = this.route(action.target.name);
    if (route.mode !== 'read' || this.world.write(route, action, this.now) === 'lost') return;
    // As the real router has it: a raise is guarded by resourceVersion, lowering to 0 never is.
    const seen = routes.find(({ target }) => target.name === route.name)?.reading;
    const isStale = seen?.type !== 'read' || seen.resourceVersion !== String(route.resourceVersion);
    if (isStale && action.type === 'SetWeight' && action.weight > 0) return;
    if (action.type === 'Isolate') {
      Object.assign(route, { weight: 0, uniform: true, isolated: true, owned: true });
    } else if (action.type === 'Release') {
      route.owned = false;
      route.mark = undefined;
      this.#setShare(route, action.target, action.declared);
    } else {
      const isMoving = this.#share(route, action.target) !== action.weight || !route.uniform;
      this.#setShare(route, action.target, action.weight);
      if (action.rollbackOf !== undefined) route.mark = action.rollbackOf;
      else if (isMoving) route.mark = undefined;
      if (isMoving) Object.assign(route, { owned: true, writtenBy: 'genesis', uniform: true });
      if (isMoving) this.writes.push({ at: this.now, route: route.name, weight: action.weight });
    }
    route.resourceVersion += 1;
  }

  #read(target: RouteTarget): RouteReading {
    const route = this.route(target.name);
    const { mode, uniform, settled, writtenBy, owned, mark, problems } = route;
    if (mode === 'missing') return { type: 'missing', message: `${target.name} is not there` };
    if (mode === 'refused') {
      return { type: 'refused', reason: 'RouteRefused', message: `${target.name} is refused` };
    }
    return {
      type: 'read',
      weight: this.#share(route, target),
      uniform,
      settled,
      writtenBy,
      owned,
      rolledBackRun: mark,
      resourceVersion: String(route.resourceVersion),
      problems,
    };
  }

  /** Blue and green may change roles: then canary's share is the other Service's. */
  #share(route: FakeRoute, target: RouteTarget): number {
    return this.#isSwapped(target) ? 100 - route.weight : route.weight;
  }

  #setShare(route: FakeRoute, target: RouteTarget, share: number): void {
    route.weight = this.#isSwapped(target) ? 100 - share : share;
  }

  #isSwapped(target: RouteTarget): boolean {
    return target.canary !== undefined && target.canary.service !== this.#canaryService;
  }

  #ready(run: RunSpec | undefined): Snapshot['ready'] {
    const of = (arm: 'stable' | 'canary') =>
      run?.[arm] === undefined ? undefined : this.world.ready(arm, this.now);
    return { stable: of('stable'), canary: of('canary') };
  }

  #answer(question: Question): Answer {
    const fault = this.world.fault(this.now, question);
    if (fault !== undefined) return { type: 'error', fault, message: `Prometheus: ${fault}` };
    const answer = answerTo(question, this.world.series);
    return answer.type === 'error' ? answer : { ...answer, skewMs: this.world.skewMs };
  }

  #touched(): void {
    this.version += 1;
    this.nextAt = this.now;
  }

  #record(snapshot: Snapshot, { rule, because, status, first, actions, events }: Decision): void {
    const weights = snapshot.routes.flatMap(({ reading }) =>
      reading.type === 'read' ? [reading.weight] : [],
    );
    this.timeline.push({
      at: this.now,
      rule,
      phase: status.phase ?? '',
      step: status.step,
      weight: weights.length === 0 ? undefined : Math.max(...weights),
      reason: because.reason,
      message: because.message,
      actions: [...first, ...actions].map(actionText),
      events: events.map((event) => event.reason),
    });
  }

  /** All that a decision may change; a status that says the same is the same object. */
  #state(): readonly unknown[] {
    const routes = [...this.routes.values()].flatMap((route) =>
      Object.entries(route).flatMap(([key, value]) => (key === 'resourceVersion' ? [] : [value])),
    );
    return [this.status, this.hasFinalizer, this.request, ...routes];
  }

  #isStill(before: readonly unknown[]): boolean {
    const after = this.#state();
    return before.length === after.length && before.every((one, index) => one === after[index]);
  }
}

export function actionText(action: Action): string {
  switch (action.type) {
    case 'SetWeight':
      return `SetWeight ${action.target.name} ${action.weight}`;
    case 'Isolate':
    case 'Release':
      return `${action.type} ${action.target.name}`;
    default:
      return action.type;
  }
}

function passedCount({ plan = [] }: RolloutStatus): number {
  return plan.filter((point) => point.passedAt !== undefined).length;
}

function describe(timeline: readonly Entry[]): string {
  return timeline
    .slice(-4)
    .map((one) => `${new Date(one.at).toISOString()} ${one.rule} ${one.reason}: ${one.message}`)
    .join('\n');
}
