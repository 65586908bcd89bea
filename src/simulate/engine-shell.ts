/**
 * The engine in virtual time: one rollout, one or more looks at an instant, then a jump to the next wake. It
 * does what the real shell does (`controller/reconcile.ts`), in the same order, against a world without I/O. The tests of
 * the engine and the scenarios of `kubectl genesis simulate` run in this one shell.
 */
import type { DecisionSpec } from '#api/decision.ts';
import { type RolloutStatus, rolloutStatusSchema } from '#api/status.ts';
import type { Answer, Question } from '#core/answer.ts';
import type { ChainState } from '#core/chain.ts';
import { decide } from '#core/decide.ts';
import type { Action, Decision, EventDraft } from '#core/decision.ts';
import { soonest } from '#core/next-look.ts';
import type { RouteTarget, RunSpec } from '#core/run-spec.ts';
import type { DecisionPolicy, JobState, ResolvedSpec, Snapshot } from '#core/snapshot.ts';
import { type Standing, standingOf } from '#core/standing.ts';
import { toIso } from '#core/time.ts';
import { answered } from './ask.ts';
import { describeLooks, type Entry, entryOf } from './entry.ts';
import { type Crash, resolvedIn, type ShellOptions } from './shell-options.ts';
import { VirtualDecisions } from './virtual-decisions.ts';
import { VirtualEvidence } from './virtual-evidence.ts';
import { VirtualJobs } from './virtual-jobs.ts';
import {
  type RouteAction,
  readVirtualRoute,
  type VirtualRoute,
  virtualRoute,
  writeVirtualRoute,
} from './virtual-route.ts';
import { type VirtualSuiteRun, VirtualSuites } from './virtual-suites.ts';
import { VirtualWorkloads } from './virtual-workloads.ts';

/** A key whose status could not be written comes back after about this long. */
const BACKOFF_MS = 1000;

/** More looks at one instant than this go in circles. */
const LOOKS_MAX = 25;

export abstract class EngineShell<Input> {
  now: number;
  status: RolloutStatus = {};
  readonly routes = new Map<string, VirtualRoute>();
  readonly jobs = new VirtualJobs();
  readonly workloads = new VirtualWorkloads();
  readonly timeline: Entry[] = [];
  readonly events: (EventDraft & { readonly at: number })[] = [];
  readonly writes: { readonly at: number; readonly route: string; readonly weight: number }[] = [];
  readonly questions: Question[] = [];
  readonly evidence = new VirtualEvidence();
  statusWrites = 0;
  hasFinalizer = false;
  request: string | undefined;
  author: string | undefined;
  decisionPolicy: DecisionPolicy = { type: 'enforced', sinceMs: 0 };
  readonly decisions = new VirtualDecisions();
  /** While true, what came of a decision cannot be written into it. */
  losesOutcomes = false;
  conflict: string | undefined;
  deletionRequestedAtMs: number | undefined;
  generation = 1;
  crashNext: Crash | undefined;
  /** When somebody looks next; undefined until something changes. */
  nextAt: number | undefined;
  /** A token of the object, as resourceVersion is one. */
  version = 1;
  protected input: Input;
  readonly #options: ShellOptions<Input>;
  readonly #records = new Map<string, ResolvedSpec>();
  #wanted: ResolvedSpec;
  /** What only memory knows. */
  #last: Standing | undefined;
  protected readonly suites = new VirtualSuites();

  constructor(options: ShellOptions<Input>) {
    this.#options = options;
    this.now = options.startAtMs;
    this.nextAt = this.now;
    this.input = options.input;
    this.#wanted = resolvedIn(options, options.input);
    if (this.#wanted.type === 'ok')
      for (const one of this.#wanted.run.targets) this.route(one.name);
  }

  protected get identity(): { readonly namespace: string; readonly name: string } {
    return this.#options;
  }

  /** What Prometheus answers now, or whoever is probed. */
  protected abstract answer(question: Question): Answer;

  /** How a run of a health suite that starts now will go. */
  protected suite(_name: string): VirtualSuiteRun {
    const message = 'this world has no health suites';
    return { tookMs: 0, outcome: { type: 'failed', message } };
  }

  /** What is known of the metric chain; undefined: in this world nobody checks it. */
  protected chain(): ChainState | undefined {
    return undefined;
  }

  /** A check of the chain is asked for; in a world without any nobody asks. */
  protected checkChain(_action: Extract<Action, { readonly type: 'CheckChain' }>): void {}

  protected abstract ready(arm: 'stable' | 'canary'): number | undefined;

  /** What comes of a write to a route: `lost` is an API server that does not answer. */
  protected abstract write(route: VirtualRoute, action: RouteAction): 'done' | 'lost';

  /** How a write of the status fails now, if it does. */
  protected statusFault(): 'conflict' | 'lost' | undefined {
    return undefined;
  }

  /** The route of this name, made as it is first asked for. */
  route(name = 'web'): VirtualRoute {
    const known = this.routes.get(name);
    if (known !== undefined) return known;
    const route = virtualRoute(name, this.#options.route ?? {});
    this.routes.set(name, route);
    return route;
  }

  /** Somebody changes the spec as a whole. */
  protected replaceSpec(input: Input): void {
    this.input = input;
    this.#wanted = resolvedIn(this.#options, input);
    this.generation += 1;
    this.touched();
  }

  annotate(text: string): void {
    this.request = text;
    this.touched();
  }

  /** A person decides about the current run, if nothing else is said. @returns the name of the decision */
  decide(spec: Partial<DecisionSpec> & Pick<DecisionSpec, 'decision'>): string {
    const base = { rollout: this.#options.name, revision: this.status.revision ?? '' };
    const name = this.decisions.add({ ...base, by: 'alice@example.com', ...spec }, this.now);
    this.nextAt = this.now;
    return name;
  }

  delete(): void {
    this.deletionRequestedAtMs = this.now;
    this.touched();
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
    for (;;) {
      const nextAt = this.nextLook();
      if (nextAt === undefined || nextAt > atMs) break;
      this.now = Math.max(this.now, nextAt);
      looks = this.now === lookedAt ? looks + 1 : 1;
      lookedAt = this.now;
      if (looks > LOOKS_MAX) throw new Error(`goes in circles: ${describeLooks(this.timeline)}`);
      this.look();
    }
    this.now = Math.max(this.now, atMs);
  }

  /** The end of a suite's run is an event of its own, and so is that of a workload's restart. */
  nextLook(): number | undefined {
    return soonest([this.nextAt, this.nextEnd()]);
  }

  /** When the next run of a suite that is under way ends, or the next restart of a workload. */
  nextEnd(): number | undefined {
    return soonest([this.suites, this.workloads].map((one) => one.nextEndAfter(this.now)));
  }

  /** The process ends: what only memory knew is gone. */
  die(): void {
    this.#last = undefined;
    this.suites.processEnds(this.now, this.evidence.keeps);
  }

  /** Another process begins. */
  restart(): void {
    this.die();
    this.nextAt = this.now;
  }

  observe(): Snapshot {
    const recordedSpec = this.#records.get(this.status.specRecord ?? '');
    const recorded = recordedSpec?.type === 'ok' ? recordedSpec.run : undefined;
    const wanted = this.#wanted.type === 'ok' ? this.#wanted.run : undefined;
    const run = recorded ?? (this.status.runId === undefined ? undefined : wanted);
    const basis = run ?? wanted;
    const suites = (basis?.suites ?? []).map((suite) => suite.name);
    const draft: Snapshot = {
      now: this.now,
      object: {
        namespace: this.#options.namespace,
        name: this.#options.name,
        uid: 'u-1',
        generation: this.generation,
        deletionRequestedAtMs: this.deletionRequestedAtMs,
        hasFinalizer: this.hasFinalizer,
        request: this.request,
        author: this.author,
      },
      wanted: this.#wanted,
      recorded: run,
      status: this.status,
      routes: (basis?.targets ?? []).map((target) => ({
        target,
        reading: readVirtualRoute(this.route(target.name), this.#isSwapped(target)),
      })),
      restarts: this.workloads.observe(basis?.restarts ?? [], this.now),
      ready: this.#ready(basis),
      conflict: this.conflict,
      suites: this.evidence.isKnown ? this.suites.states(suites, this.now) : new Map(),
      jobs: this.jobs.states((name, atMs) => this.job(name, atMs)),
      decisions: this.decisions.list,
      decisionPolicy: this.decisionPolicy,
      answers: new Map(),
      evidence: this.evidence.isKnown ? this.evidence.stateOf(this.status.runId ?? '') : undefined,
      chain: this.chain(),
      last: this.#last,
    };
    return answered(
      draft,
      (question) => this.answer(question),
      (question) => this.asked(question),
    );
  }

  protected asked(question: Question): void {
    this.questions.push(question);
  }

  /** Observe, decide, checkpoint, act. */
  look(): Decision {
    const version = this.version;
    const isCut = this.crashNext !== undefined;
    const snapshot = this.observe();
    const decision = decide(snapshot);
    if (decision.isRepeated !== true) this.#last = standingOf(snapshot, decision);
    const before = this.#state();
    this.carryOut(snapshot, decision, version);
    const wakesNow = decision.wakeAtMs !== undefined && decision.wakeAtMs <= this.now;
    const isTried = isCut || this.statusFault() !== undefined;
    if (wakesNow && !isTried && this.#isStill(before)) {
      throw new Error(`wakes at once and nothing has changed: ${describeLooks(this.timeline)}`);
    }
    return decision;
  }

  /**
   * What the shell does with a decision, as another leader may do with an old one.
   * @returns false when the status could not be written because the object has changed since `version`
   */
  carryOut(snapshot: Snapshot, decision: Decision, version: number): boolean {
    const before = this.#state();
    this.record(snapshot, decision);
    const isWritten = this.#apply(snapshot, decision, version);
    this.nextAt = this.#isStill(before) ? decision.wakeAtMs : this.now;
    if (this.statusFault() !== undefined && !isWritten) this.nextAt = this.now + BACKOFF_MS;
    return isWritten;
  }

  #apply(snapshot: Snapshot, decision: Decision, version: number): boolean {
    const crash = this.crashNext;
    this.crashNext = undefined;
    if (crash === 'beforeFirst') return true;
    for (const action of decision.first) this.#act(action, snapshot);
    if (crash === 'beforeStatus') return true;
    if (decision.status !== snapshot.status) {
      if (version !== this.version || this.statusFault() !== undefined) return false;
      // As the API server hands it out again: only what the schema knows, only what JSON can carry.
      this.status = rolloutStatusSchema.parse(JSON.parse(JSON.stringify(decision.status)));
      this.version += 1;
      this.statusWrites += 1;
    }
    const passed = passedCount(decision.status) - passedCount(snapshot.status);
    if (snapshot.status.runId === decision.status.runId && passed > 1) {
      throw new Error(`${passed} points at once: ${describeLooks(this.timeline)}`);
    }
    this.events.push(...decision.events.map((event) => ({ ...event, at: this.now })));
    for (const { type: kind, reason, note } of decision.events) {
      const at = toIso(this.now);
      const { runId = '' } = decision.status;
      this.evidence.told(runId, { type: 'event', at, kind, reason, note });
    }
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
      case 'Restart':
        this.workloads.restart(action, this.now);
        return;
      case 'RecordSpec':
        if (!this.#records.has(action.name)) this.#records.set(action.name, this.#wanted);
        return;
      case 'ClearRequest':
        if (this.request === action.request) this.request = undefined;
        return;
      case 'RunJob':
        this.jobs.ensure(action.name, this.now);
        return;
      case 'RunSuite':
        this.suites.start(action, this.now, this.suite(action.suite.name));
        return;
      case 'CheckChain':
        this.checkChain(action);
        return;
      case 'RecordSnapshot':
      case 'WriteReport':
        this.evidence.carryOut(action, (question) => this.answer(question));
        return;
      case 'SettleDecision':
        if (!this.losesOutcomes) this.decisions.settle(action);
        return;
      default:
        this.#writeRoute(action, known);
    }
  }

  /** How far a Job is that was created at this time. */
  protected job(_name: string, _createdAtMs: number): JobState {
    return { type: 'succeeded' };
  }

  #writeRoute(action: RouteAction, { routes }: Snapshot): void {
    const route = this.route(action.target.name);
    if (route.mode !== 'read' || this.write(route, action) === 'lost') return;
    const seen = routes.find(({ target }) => target.name === route.name)?.reading;
    const weight = writeVirtualRoute(route, action, seen, this.#isSwapped(action.target));
    if (weight !== undefined) this.writes.push({ at: this.now, route: route.name, weight });
  }

  #isSwapped(target: RouteTarget): boolean {
    const { canaryService } = this.#options;
    return target.canary !== undefined && target.canary.service !== canaryService;
  }

  #ready(run: RunSpec | undefined): Snapshot['ready'] {
    const of = (arm: 'stable' | 'canary') =>
      run?.[arm] === undefined ? undefined : this.ready(arm);
    return { stable: of('stable'), canary: of('canary') };
  }

  protected touched(): void {
    this.version += 1;
    this.nextAt = this.now;
  }

  protected record(snapshot: Snapshot, decision: Decision): void {
    this.timeline.push(entryOf(this.now, snapshot, decision));
  }

  /** All that a decision may change; a status that says the same is the same object. */
  #state(): readonly unknown[] {
    const routes = [...this.routes.values()].flatMap((route) =>
      Object.entries(route).flatMap(([key, value]) => (key === 'resourceVersion' ? [] : [value])),
    );
    const { report } = this.evidence.stateOf(this.status.runId ?? '');
    const made = [this.jobs.created.size, this.suites.count, this.decisions.list, report];
    const { status, hasFinalizer, request, workloads } = this;
    return [status, hasFinalizer, request, ...made, ...routes, ...workloads.state];
  }

  #isStill(before: readonly unknown[]): boolean {
    const after = this.#state();
    return before.length === after.length && before.every((one, index) => one === after[index]);
  }
}

function passedCount({ plan = [] }: RolloutStatus): number {
  return plan.filter((point) => point.passedAt !== undefined).length;
}
