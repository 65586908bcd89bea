/**
 * One simulated world, made from one seed: crashes at any request, lost answers, conflicts, outages, wrong
 * clocks, a second leader, other writers and people. The real shell and the real engine run in it.
 */
import { annotations } from '#api/names.ts';
import type { RolloutStatus } from '#api/status.ts';
import { ClusterError, type ClusterFault } from '#ports/cluster.ts';
import type { SuiteOutcome } from '#ports/suite-runner.ts';
import { FakeApiServer, type FakeRequest } from '#test/fakes/cluster.ts';
import { ChainLog, chainAt } from './chain-log.ts';
import { Checker, Violation } from './checker.ts';
import { ClusterLife } from './cluster-life.ts';
import { expectReport } from './ending.ts';
import type { WorldEvent } from './events.ts';
import { AUTHOR, PROBE_URL } from './features.ts';
import { isFlagSettled, seedFlag } from './flag.ts';
import { answer } from './metrics.ts';
import { People, policyAt } from './people.ts';
import { Killed, Process } from './process.ts';
import { type Random, streamOf } from './random.ts';
import { key, rolloutObject, rolloutResource, routeObject, routeResource } from './scenario.ts';
import { SuiteLog } from './suite-log.ts';
import type { SimTime } from './time.ts';
import type { TrafficLog } from './traffic-log.ts';
import { within } from './truth.ts';
import { drawWorld, START_MS, TROUBLE_END_MS, type WorldPlan } from './world.ts';

export interface Outcome {
  readonly seed: number;
  readonly phase: string | undefined;
  readonly looks: number;
  readonly kills: number;
  readonly raises: number;
  readonly rollbacks: number;
  /** What happened, for a person who reads a failure. */
  readonly log: readonly string[];
}

/** Two runs, one after the other, each with an extension. */
const LENGTH_MS = 2_700_000;
const LOOKS_MAX = 20_000;
const faults: [ClusterFault, ...ClusterFault[]] = [
  'conflict',
  'unavailable',
  'timeout',
  'throttled',
];

/** @param without see `drawWorld` */
export async function simulate(
  seed: number,
  without: ReadonlySet<string> = new Set(),
): Promise<Outcome> {
  const world = new World(drawWorld(seed, without));
  try {
    await world.run();
  } catch (error) {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    throw new Violation(`seed ${seed}: ${message}\n${world.log.slice(-60).join('\n')}`);
  }
  return world.outcome();
}

class World {
  readonly log: string[] = [];
  readonly #plan: WorldPlan;
  readonly #random: Random;
  readonly #time: SimTime = { nowMs: START_MS, offMs: 0 };
  readonly #traffic: TrafficLog = { changes: [{ atMs: 0, weight: 0 }] };
  readonly #server: FakeApiServer;
  readonly #checker: Checker;
  readonly #people: People;
  readonly #life: ClusterLife;
  readonly #suites = new SuiteLog();
  readonly #chain = new ChainLog();
  readonly #events: WorldEvent[];
  /** The leader, and sometimes a second that believes to be one. */
  #processes: Process[] = [];
  /** Who ran alone a second ago, and by which clock. */
  #remembered: { readonly process: Process | undefined; readonly offMs: number } | undefined;
  #restartAtMs = START_MS;
  #second: { readonly untilMs: number; readonly isDeaf: boolean } = { untilMs: 0, isDeaf: false };
  #looks = 0;
  #kills = 0;
  #mishaps: number;

  constructor(plan: WorldPlan) {
    this.#plan = plan;
    this.#random = streamOf(plan.seed, 'requests');
    this.#events = [...plan.events];
    this.#mishaps = plan.mishaps;
    this.#server = new FakeApiServer({ now: () => this.#time.nowMs });
    const spec = plan.specOf('v2');
    const memory = {
      isSuiteBad: () => this.#suites.isBad(this.#processes, this.#time.nowMs),
      chainObstacle: () =>
        plan.features.has('chain')
          ? this.#chain.obstacle(this.#processes, this.#time.nowMs)
          : undefined,
    };
    const checked = { spec, truth: plan.truth, log: this.#traffic, memory, startMs: START_MS };
    this.#checker = new Checker(checked);
    const note = (what: string) => this.#note(what);
    const log = this.#checker.people;
    this.#people = new People(plan, { server: this.#server, time: this.#time, log, note });
    this.#life = new ClusterLife(plan.seed, this.#server, () => this.#time.nowMs);
    const rollout = rolloutObject('v2', spec);
    const metadata = { ...rollout.metadata, annotations: { [annotations.author]: AUTHOR } };
    this.#server.seed(rolloutResource, { ...rollout, metadata });
    this.#server.seed(routeResource, routeObject());
    if (plan.features.has('flag')) seedFlag(this.#server);
    this.#server.watch((event) => this.#checker.committed(event, this.#time));
  }

  async run(): Promise<void> {
    const endMs = START_MS + LENGTH_MS;
    for (let atMs = START_MS; atMs < endMs; atMs += 1_000) {
      this.#time.nowMs = atMs;
      if (atMs > TROUBLE_END_MS) this.#calm();
      else this.#acts();
      this.#life.second();
      this.#startProcesses();
      const isCrowded = within(this.#plan.truth.crowded, atMs);
      for (const process of this.#processes) process.crowd(isCrowded);
      await this.#looksUntil(atMs + 1_000);
      this.#check();
      if (atMs > TROUBLE_END_MS && this.#hasEnded()) return;
    }
    throw new Violation(
      `invariant 4: the run is still ${this.#status().phase}: ${this.#status().message}`,
    );
  }

  outcome(): Outcome {
    const { raises, rollbacks } = this.#checker;
    const { phase } = this.#status();
    return {
      seed: this.#plan.seed,
      phase: this.#server.get(rolloutResource, key) === undefined ? 'Deleted' : phase,
      looks: this.#looks,
      kills: this.#kills,
      raises,
      rollbacks,
      log: this.log,
    };
  }

  #check(): void {
    const isClockRight = Math.abs(this.#time.offMs) <= 5_000;
    const [process] = this.#processes.length === 1 ? this.#processes : [];
    const { offMs } = this.#time;
    const isSameClock = this.#remembered?.offMs === offMs;
    const isRemembered =
      isSameClock && process !== undefined && this.#remembered?.process === process;
    this.#remembered = { process, offMs };
    const isOperational = this.#processes.length > 0 && isClockRight;
    const archiveReadMs = process?.archiveReadMs;
    const seen = { isOperational, isRemembered, isSameClock, archiveReadMs };
    this.#checker.tick(this.#time, seen);
  }

  #status(): RolloutStatus {
    return this.#server.get(rolloutResource, key)?.['status'] ?? {};
  }

  #hasEnded(): boolean {
    if (this.#server.get(rolloutResource, key) === undefined) return true;
    const status = this.#status();
    const { phase, revision } = status;
    const isOver =
      revision === this.#people.wantedRevision && (phase === 'Succeeded' || phase === 'RolledBack');
    if (isOver && !isFlagSettled(this.#server, phase)) return false;
    return isOver && expectReport(this.#server, status, this.#plan.features.has('evidence'));
  }

  #note(what: string): void {
    const at = new Date(this.#time.nowMs).toISOString().slice(11, 23);
    this.log.push(`${at} ${what}`);
  }

  #calm(): void {
    this.#mishaps = 0;
    this.#time.offMs = 0;
    this.#people.calm(this.#status());
  }

  /** People and other tools, now and then. */
  #acts(): void {
    while ((this.#events[0]?.atMs ?? Number.POSITIVE_INFINITY) <= this.#time.nowMs) {
      const event = this.#events.shift();
      if (event !== undefined) this.#act(event);
    }
  }

  #act(event: WorldEvent): void {
    const people = this.#people;
    switch (event.type) {
      case 'request':
        return people.request(event.verb);
      case 'pause':
        return people.edit({ paused: event.paused }, `spec.paused: ${event.paused}`);
      case 'brokenEdit':
        return people.edit({ analysis: { interval: 'soon' } }, 'a broken edit of the spec');
      case 'newRevision':
        return people.newRevision();
      case 'otherWriter':
        return people.otherWriter(event.weight);
      case 'decide':
        return people.decide(event);
      case 'delete':
        return people.delete();
      case 'clock':
        this.#time.offMs = event.offMs;
        return this.#note(`the operator's clock is off by ${event.offMs} ms`);
      default:
        this.#second = { untilMs: this.#time.nowMs + event.forMs, isDeaf: event.isDeaf };
        return undefined;
    }
  }

  #startProcesses(): void {
    const { nowMs } = this.#time;
    if (this.#processes.length === 0 && nowMs >= this.#restartAtMs) {
      this.#note('a process starts');
      this.#processes.push(this.#newProcess());
    }
    const wantsSecond = nowMs < this.#second.untilMs;
    if (wantsSecond && this.#processes.length === 1) {
      this.#note('a second process believes to lead');
      const second = this.#newProcess();
      if (this.#second.isDeaf) this.#processes[0]?.cluster.pauseWatch();
      this.#processes.push(second);
    }
    // A stream that has gone silent is noticed and opened anew: whoever is left alone sees the world again.
    if (this.#processes.length === 1) this.#processes[0]?.cluster.resumeWatch();
    if (!wantsSecond && this.#processes.length === 2) {
      this.#note('the first of two stops');
      this.#processes.shift()?.die();
    }
  }

  #newProcess(): Process {
    const { truth, features } = this.#plan;
    const now = () => this.#time.nowMs;
    const process: Process = new Process({
      time: this.#time,
      server: this.#server,
      ask: (question) => answer(question, truth, this.#traffic, this.#time),
      isUp: (url) => !within(url === PROBE_URL ? truth.probeDown : truth.stableProbeDown, now()),
      suite: () => {
        const run = suiteAt(
          truth.suite.find((one) => now() >= one.fromMs && now() < one.toMs)?.how,
        );
        this.#suites.add(process, now(), run);
        return run;
      },
      chain: features.has('chain') ? () => chainAt(truth, now()) : undefined,
      onChecked: (findings) => this.#chain.add(process, now(), findings),
      ready: (service) =>
        within(service === 'stable' ? truth.stableDown : truth.canaryDown, now()) ? 0 : 2,
      decisionPolicy: () => policyAt(truth, now()),
      keepsEvidence: features.has('evidence'),
      onRequest: (moment, request) => this.#onRequest(moment, request),
      onKept: (lines) => this.#suites.kept(lines, now()),
      onEvent: ({ reason, note }) => this.#note(`  event ${reason}: ${note}`),
    });
    return process;
  }

  /** The process dies, the answer is lost, or the server is not there. */
  #onRequest(moment: 'before' | 'after', { verb, resource }: FakeRequest): void {
    const what = `${moment} ${verb} ${resource.kind}`;
    const { truth } = this.#plan;
    const { nowMs } = this.#time;
    const isStoreDown = resource.kind === 'ConfigMap' && within(truth.evidenceDown, nowMs);
    if (isStoreDown || within(truth.apiDown, nowMs)) {
      throw new ClusterError('unavailable', 'the API server is down');
    }
    if (this.#random.chance(this.#mishaps / 2)) {
      this.#note(`  killed ${what}`);
      throw new Killed();
    }
    if (this.#random.chance(this.#mishaps)) {
      const fault = this.#random.pick(faults);
      this.#note(`  ${fault} ${what}`);
      throw new ClusterError(fault, `${fault} ${what}`);
    }
  }

  /** Looks and timers of all processes, in the order of time. */
  async #looksUntil(untilMs: number): Promise<void> {
    for (;;) {
      const [first, second] = this.#processes;
      const isSecond = first && second && nextAt(second) < nextAt(first);
      const process = isSecond === true ? second : first;
      if (process === undefined || nextAt(process) >= untilMs) return;
      this.#time.nowMs = Math.max(this.#time.nowMs, nextAt(process));
      process.timers.run(this.#time.nowMs);
      if ((process.wakeAtMs ?? Number.POSITIVE_INFINITY) <= this.#time.nowMs) {
        await this.#look(process);
      }
      await process.settle();
      if (process.isDead) this.#bury(process);
      this.#looks += 1;
      if (this.#looks > LOOKS_MAX) throw new Violation('the operator looks without end');
    }
  }

  #bury(process: Process): void {
    if (!this.#processes.includes(process)) return;
    this.#kills += 1;
    this.#processes = this.#processes.filter((one) => one !== process);
    this.#restartAtMs = this.#time.nowMs + this.#random.pick([1_000, 4_000, 15_000, 60_000]);
  }

  async #look(process: Process): Promise<void> {
    process.wakeAtMs = undefined;
    const earliestMs = this.#time.nowMs + 10;
    // A clock tells whole milliseconds, whatever fraction of one is waited for.
    const wake = (atMs: number) => {
      process.wakeAtMs = Math.max(
        earliestMs,
        Math.min(process.wakeAtMs ?? Number.POSITIVE_INFINITY, Math.ceil(atMs)),
      );
    };
    const before = JSON.stringify(this.#brief());
    try {
      const back = await process.look();
      process.failures = 0;
      // The queue waits by the wall clock, whatever it says.
      if (back.type === 'at') wake(back.atMs - this.#time.offMs);
      if (back.type === 'again') wake(earliestMs);
    } catch (error) {
      if (process.isDead) return;
      if (!(error instanceof ClusterError)) throw error;
      process.failures += 1;
      wake(this.#time.nowMs + Math.min(1_000, 5 * 2 ** process.failures));
    }
    const after = JSON.stringify(this.#brief());
    if (after !== before) this.#note(after);
  }

  #brief(): object {
    const { phase, step, weight, message, triggers } = this.#status();
    const states = triggers?.map((one) => `${one.name}:${one.state}`).join(' ');
    const route = this.#traffic.changes.at(-1)?.weight;
    return { phase, step, weight, route, states, message };
  }
}

function nextAt({ wakeAtMs, timers }: Process): number {
  return Math.min(
    wakeAtMs ?? Number.POSITIVE_INFINITY,
    timers.nextAtMs ?? Number.POSITIVE_INFINITY,
  );
}

function suiteAt(how: 'failing' | 'flaky' | 'hanging' | 'broken' | undefined): {
  readonly tookMs: number;
  readonly outcome: SuiteOutcome;
} {
  const done = (failures: readonly string[], isKnown: boolean): SuiteOutcome => ({
    type: 'done',
    total: 10,
    passed: 10 - failures.length,
    failed: failures.length,
    skipped: 0,
    knownFlaky: isKnown ? failures.length : 0,
    newFailures: isKnown ? 0 : failures.length,
    failures,
  });
  switch (how) {
    case 'failing':
      return { tookMs: 3_000, outcome: done(['login', 'logout', 'pay'], false) };
    case 'flaky':
      return { tookMs: 3_000, outcome: done(['flaky one'], true) };
    case 'broken':
      return { tookMs: 1_000, outcome: { type: 'failed', message: 'it answers nonsense' } };
    default:
      return { tookMs: how === 'hanging' ? 60_000 : 3_000, outcome: done([], false) };
  }
}
