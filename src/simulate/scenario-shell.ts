/** The virtual shell of one scenario: its routes, endpoints and metrics, and what people and faults do to them. */
import { type RolloutSpec, rolloutSpecSchema } from '#api/rollout.ts';
import { validateSpec } from '#api/validate.ts';
import type { Answer, Question, SuiteQuestion } from '#core/answer.ts';
import type { Decision } from '#core/decision.ts';
import { resolveSpec } from '#core/resolve.ts';
import type { RunSpec } from '#core/run-spec.ts';
import type { JobState, ResolvedSpec, Snapshot } from '#core/snapshot.ts';
import { inspectQuery } from '#promql/inspect-query.ts';
import { EngineShell } from './engine-shell.ts';
import { type Arm, Meanings, subjectsOf } from './measures.ts';
import { mergePatch } from './merge-patch.ts';
import type { NamedValues } from './named-values.ts';
import type { ScenarioPromql } from './promql/scenario-promql.ts';
import { Quiet, type QuietWorld } from './quiet.ts';
import type { Scenario } from './read-scenario.ts';
import { recordAt } from './record-later.ts';
import { carryOn, nextNewsMs, type RoutineWorld, suiteConstantUntil } from './routine.ts';
import { jobStateAt } from './scenario-jobs.ts';
import { suiteRunAt } from './scenario-suites.ts';
import { StepsOfTime } from './steps-of-time.ts';
import { type Line, linesOf, reportLines } from './timeline.ts';
import type { VirtualProbes } from './virtual-probes.ts';
import { VirtualPrometheus } from './virtual-prometheus.ts';
import type { VirtualSuiteRun } from './virtual-suites.ts';

type SpecInput = Readonly<Record<string, unknown>>;

/** A Service has so many Ready endpoints unless the scenario says otherwise. */
const READY_DEFAULT = 2;

/** What the scenario says of everything that is measured. */
export interface MetricWorld {
  readonly promql: ScenarioPromql;
  readonly named: NamedValues;
  readonly probes: VirtualProbes;
}

interface LastLook {
  readonly snapshot: Snapshot;
  readonly decision: Decision;
}

export class ScenarioShell extends EngineShell<SpecInput> {
  readonly lines: Line[] = [];
  readonly prometheus: VirtualPrometheus;
  readonly probes: VirtualProbes;
  /** How writes to the API server end. */
  api: 'ok' | 'conflict' | 'down' = 'ok';
  isOperatorDown = false;
  readonly readyEndpoints: Record<Arm, number>;
  readonly #share = new StepsOfTime(0);
  readonly #scenario: Scenario;
  readonly #quiet = new Quiet();
  #meanings: Meanings;
  #last: LastLook | undefined;
  #isQuiet = false;
  #looks = 0;

  constructor(scenario: Scenario, world: MetricWorld) {
    const { namespace, name, spec } = scenario;
    const resolve = (input: SpecInput) => resolveInput(input, { namespace, name });
    super({
      namespace,
      name,
      input: scenario.specInput,
      resolve,
      canaryService: spec.traffic.canary?.service,
      startAtMs: scenario.startMs,
      route: { weight: scenario.weight },
    });
    const { stable = READY_DEFAULT, canary = READY_DEFAULT } = scenario.ready;
    this.readyEndpoints = { stable, canary };
    this.#meanings = new Meanings(spec, subjectsOf(spec), { namespace, name });
    this.prometheus = new VirtualPrometheus({
      meanings: () => this.#meanings,
      named: () => world.named,
      promql: world.promql,
      now: () => this.now,
    });
    this.probes = world.probes;
    this.#scenario = scenario;
    this.author = scenario.author;
    if (scenario.approvals === 'missing') {
      this.decisionPolicy = { type: 'notEnforced', message: 'the policy is not installed' };
    }
    this.#noteWeight();
  }

  get looks(): number {
    return this.#looks;
  }

  /** Canary's share at a time, as the routes had it. */
  shareAt(atMs: number): number {
    return this.#share.at(atMs);
  }

  /** Looks, and writes down what has changed. */
  lookAndTell(): void {
    this.#isQuiet = false;
    const before = this.status;
    const told = this.events.length;
    const reported = this.evidence.written.length;
    this.#looks += 1;
    this.look();
    const events = this.events.slice(told);
    if (this.status !== before || events.length > 0) {
      this.lines.push(...linesOf({ atMs: this.now, before, after: this.status, events }));
    }
    this.lines.push(...reportLines(this.evidence.written.slice(reported)));
    this.#noteWeight();
  }

  /** Somebody applies a merge patch to the spec. */
  patch(patch: SpecInput): void {
    const merged = mergePatch(this.input, patch);
    this.replaceSpec(merged);
    const parsed = rolloutSpecSchema.safeParse(merged);
    if (parsed.success) this.#remean(parsed.data);
  }

  /** A process of the operator starts: it looks at once, and remembers nothing. */
  override restart(): void {
    super.restart();
    this.probes.seenSinceMs = this.now;
  }

  /** Something that the operator watches has changed. */
  changed(): void {
    this.nextAt = this.now;
    this.#noteWeight();
  }

  #remean(spec: RolloutSpec): void {
    const { namespace, name } = this.identity;
    this.#meanings = new Meanings(spec, subjectsOf(spec), { namespace, name });
  }

  #noteWeight(): void {
    const weight = Math.max(0, ...[...this.routes.values()].map((route) => route.weight));
    if (this.#share.current === weight && this.lines.length > 0) return;
    const isChange = this.#share.current !== weight;
    this.#share.set(this.now, weight);
    if (isChange) this.lines.push({ atMs: this.now, kind: 'weight', value: weight });
  }

  protected override answer(question: Question): Answer {
    if (question.type === 'probe' || question.type === 'probeRange') {
      return this.probes.answer(question);
    }
    return this.prometheus.answer(question);
  }

  protected override asked(): void {
    // Nobody counts them here.
  }

  protected override record(snapshot: Snapshot, decision: Decision): void {
    this.#last = { snapshot, decision };
  }

  /**
   * Goes on without looking for as long as no trigger's truth changes and no turn of the engine's comes: what is due by the
   * clock meanwhile is carried out.
   *
   * @param changeMs when the world changes next
   */
  goOnQuietly(changeMs: number): void {
    const { snapshot, decision } = this.#last ?? {};
    const run = snapshot?.recorded;
    // Under a skew what is asked at a time depends on when it is asked.
    if (this.prometheus.skew.ms !== 0) return;
    if (snapshot === undefined || decision === undefined || run === undefined) return;
    const { nextTurnMs: turnMs, wakeAtMs = this.now } = decision;
    const isChanged = this.status !== snapshot.status || this.nextAt !== decision.wakeAtMs;
    if (turnMs === undefined || isChanged) return;
    const startedAtMs = Date.parse(this.status.startedAt ?? '');
    const world = this.#routineWorld({ snapshot, decision, run, startedAtMs });
    const restartMs = this.workloads.nextEndAfter(this.now) ?? changeMs;
    const limitMs = Math.min(turnMs, changeMs, restartMs, nextNewsMs(this.now, world));
    const time = { nowMs: this.now, limitMs, startedAtMs };
    const untilMs = this.#quiet.until(run, decision, time, this.#quietWorld(startedAtMs));
    // The first evaluation that may differ.
    const { intervalMs, offsetMs } = run;
    const tickMs = Math.ceil((untilMs - offsetMs) / intervalMs) * intervalMs + offsetMs;
    const lookMs = Math.min(turnMs, Math.max(wakeAtMs, tickMs));
    const leftMs = Math.max(wakeAtMs, carryOn(this.now, Math.min(lookMs, limitMs), world));
    this.nextAt = Math.min(lookMs, leftMs, limitMs === changeMs ? lookMs : limitMs);
    this.#isQuiet = true;
  }

  /** While all is quiet the end of a suite's run is no news. */
  override nextLook(): number | undefined {
    return this.#isQuiet ? this.nextAt : super.nextLook();
  }

  /** Something in the world is not as it was. */
  disturb(): void {
    this.#isQuiet = false;
  }

  #quietWorld(startedAtMs: number): QuietWorld {
    return {
      ask: (question: Question | SuiteQuestion) =>
        question.type === 'suite' || question.type === 'suiteRange'
          ? undefined
          : this.answer(question),
      constantUntil: (query, atMs) => this.prometheus.constantUntil(query, atMs),
      probeUntil: (url, atMs) => this.probes.constantUntil(url, atMs),
      suiteUntil: (suite, validForMs, tickMs) =>
        suiteConstantUntil(this.suites.runsOf(suite), { tickMs, startedAtMs, validForMs }),
      weight: this.status.weight ?? 0,
    };
  }

  #routineWorld(last: LastLook & { run: RunSpec; startedAtMs: number }): RoutineWorld {
    const { snapshot, decision, run, startedAtMs } = last;
    const runId = this.status.runId ?? '';
    const names = run.suites.map((suite) => suite.name);
    const prometheus = this.prometheus.remembered();
    const answer = (question: Question): Answer =>
      question.type === 'probe' || question.type === 'probeRange'
        ? this.probes.answer(question)
        : prometheus.answer(question);
    return {
      run,
      startedAtMs,
      suites: this.suites,
      courseOf: (name, atMs) => suiteRunAt(name, atMs, this.#scenario),
      startSuite: (suite, atMs, course) => {
        this.lines.push({ atMs, kind: 'suite', value: suite.name });
        this.suites.start({ suite, dueAtMs: atMs }, atMs, course);
      },
      snapshotMs: decision.snapshots?.intervalMs,
      record: (index, atMs) => {
        const suitesAt = this.suites.remembered(names);
        const make = () => recordAt({ ...snapshot, now: atMs, suites: suitesAt(atMs) }, answer);
        this.evidence.keep(runId, index, make);
      },
    };
  }

  protected override suite(name: string): VirtualSuiteRun {
    this.lines.push({ atMs: this.now, kind: 'suite', value: name });
    return suiteRunAt(name, this.now, this.#scenario);
  }

  protected override job(name: string, createdAtMs: number): JobState {
    const hook = this.status.rollback?.hooks?.find(({ job }) => job === name);
    return jobStateAt(hook?.stage, { createdAtMs, nowMs: this.now }, this.#scenario.jobs);
  }

  protected override ready(arm: Arm): number {
    return this.readyEndpoints[arm];
  }

  protected override write(): 'done' | 'lost' {
    return this.api === 'down' ? 'lost' : 'done';
  }

  protected override statusFault(): 'conflict' | 'lost' | undefined {
    if (this.api === 'ok') return undefined;
    return this.api === 'conflict' ? 'conflict' : 'lost';
  }
}

/** As the operator does it: the schema with its defaults, then references, queries and the plan. */
function resolveInput(
  input: SpecInput,
  object: { readonly namespace: string; readonly name: string },
): ResolvedSpec {
  const parsed = rolloutSpecSchema.safeParse(input);
  if (!parsed.success) {
    return { type: 'invalid', problems: validateSpec(input).map(({ message }) => message) };
  }
  return resolveSpec({ ...object, spec: parsed.data, inspect: inspectQuery });
}
