/**
 * One simulated world, made from one seed: crashes at any request, lost answers, conflicts, outages, wrong
 * clocks, a second leader, other writers and people. The real shell and the real engine run in it.
 */
import type { RolloutStatus } from '#api/status.ts';
import { ClusterError, type ClusterFault } from '#ports/cluster.ts';
import { FakeApiServer, type FakeRequest } from '#test/fakes/cluster.ts';
import { Checker, Violation } from './checker.ts';
import { answer, type TrafficLog } from './metrics.ts';
import { Killed, Process } from './process.ts';
import { type Random, randomOf } from './random.ts';
import {
  key,
  name,
  namespace,
  rolloutObject,
  rolloutResource,
  routeObject,
  routeResource,
  specOf,
} from './scenario.ts';
import type { SimTime } from './time.ts';
import { drawTruth, type Truth, within } from './truth.ts';

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

const START_MS = Date.UTC(2026, 10, 22, 3, 17, 11);
/** Trouble ends here, and the world stays healthy for the rest. */
const TROUBLE_MS = 420_000;
const LENGTH_MS = TROUBLE_MS + 900_000;
const LOOKS_MAX = 20_000;
const faults: [ClusterFault, ...ClusterFault[]] = [
  'conflict',
  'unavailable',
  'timeout',
  'throttled',
];

export async function simulate(seed: number): Promise<Outcome> {
  const world = new World(seed);
  try {
    await world.run();
  } catch (error) {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    throw new Violation(`seed ${seed}: ${message}\n${world.log.slice(-60).join('\n')}`);
  }
  return world.outcome();
}

class World {
  readonly seed: number;
  readonly log: string[] = [];
  readonly #random: Random;
  readonly #time: SimTime = { nowMs: START_MS, offMs: 0 };
  readonly #truth: Truth;
  readonly #traffic: TrafficLog = { changes: [{ atMs: 0, weight: 0 }] };
  readonly #server: FakeApiServer;
  readonly #checker: Checker;
  /** The leader, and sometimes a second that believes to be one. */
  #processes: Process[] = [];
  #restartAtMs = START_MS;
  #secondUntilMs = 0;
  #looks = 0;
  #kills = 0;
  #mishaps = 0.03;

  constructor(seed: number) {
    this.seed = seed;
    this.#random = randomOf(seed);
    this.#truth = drawTruth(this.#random, START_MS, START_MS + TROUBLE_MS);
    this.#server = new FakeApiServer({ now: () => this.#time.nowMs });
    this.#checker = new Checker(this.#truth, this.#traffic);
    this.#server.seed(rolloutResource, rolloutObject('v2'));
    this.#server.seed(routeResource, routeObject());
    this.#server.watch((event) => this.#checker.committed(event, this.#time.nowMs));
    this.#mishaps = this.#random.pick([0, 0.01, 0.03, 0.1]);
  }

  async run(): Promise<void> {
    const endMs = START_MS + LENGTH_MS;
    for (let atMs = START_MS; atMs < endMs; atMs += 1_000) {
      this.#time.nowMs = atMs;
      if (atMs > START_MS + TROUBLE_MS) this.#calm();
      else this.#people();
      this.#gateway();
      this.#startProcesses();
      await this.#looksUntil(atMs + 1_000);
      const isClockRight = Math.abs(this.#time.offMs) <= 5_000;
      this.#checker.tick(this.#time.nowMs, this.#processes.length > 0 && isClockRight);
      if (atMs > START_MS + TROUBLE_MS && this.#hasEnded()) return;
    }
    throw new Violation(
      `invariant 4: the run is still ${this.#status().phase}: ${this.#status().message}`,
    );
  }

  outcome(): Outcome {
    const { raises, rollbacks } = this.#checker;
    const { phase } = this.#status();
    return {
      seed: this.seed,
      phase,
      looks: this.#looks,
      kills: this.#kills,
      raises,
      rollbacks,
      log: this.log,
    };
  }

  #status(): RolloutStatus {
    return this.#server.get(rolloutResource, key)?.['status'] ?? {};
  }

  #hasEnded(): boolean {
    const { phase, revision } = this.#status();
    return revision === this.#wantedRevision() && (phase === 'Succeeded' || phase === 'RolledBack');
  }

  #wantedRevision(): string {
    const spec = this.#server.get(rolloutResource, key)?.['spec'] as
      | { readonly revision: string }
      | undefined;
    return spec?.revision ?? '';
  }

  #note(what: string): void {
    const at = new Date(this.#time.nowMs).toISOString().slice(11, 23);
    this.log.push(`${at} ${what}`);
  }

  /** From now on the world is healthy: whatever a person has done to hold the run is undone. */
  #calm(): void {
    this.#mishaps = 0;
    this.#time.offMs = 0;
    const object = this.#server.get(rolloutResource, key);
    if (object === undefined) return;
    const spec = object['spec'] as {
      paused?: boolean;
      revision: string;
      analysis: { interval: string };
    };
    if (spec.paused === true || spec.analysis.interval !== '5s') {
      this.#server.mergePatch(
        rolloutResource,
        key,
        { spec: { ...specOf(spec.revision), paused: false } },
        { fieldManager: 'person' },
      );
    }
    const isHeldForPerson =
      this.#status().pausedBy !== undefined ||
      this.#status().holds?.some(
        ({ reason }) => reason === 'WouldServeOlderVersion' || reason === 'LoweredByAnother',
      );
    if (
      isHeldForPerson === true &&
      object.metadata.annotations?.['genesis.dev/request'] === undefined
    ) {
      this.#request('resume');
    }
  }

  #request(verb: string): void {
    this.#note(`a person asks: ${verb}`);
    const annotations = { 'genesis.dev/request': `${verb} t${this.#random.int(1, 1_000_000)}` };
    this.#server.mergePatch(
      rolloutResource,
      key,
      { metadata: { annotations } },
      { fieldManager: 'person' },
    );
  }

  /** People and other tools, now and then. */
  #people(): void {
    const random = this.#random;
    const patch = (spec: object) =>
      this.#server.mergePatch(rolloutResource, key, { spec }, { fieldManager: 'person' });
    const revision = this.#wantedRevision();
    if (random.chance(0.002)) this.#request(random.pick(['pause', 'resume', 'promote']));
    if (random.chance(0.0003)) this.#request('abort');
    if (random.chance(0.001)) {
      const paused = random.chance(0.5);
      this.#note(`spec.paused: ${paused}`);
      patch({ paused });
    }
    if (random.chance(0.0007)) {
      this.#note('a broken edit of the spec');
      patch({ analysis: { interval: 'soon' } });
    }
    if (random.chance(0.0004)) {
      this.#note('a new revision');
      patch({ ...specOf(`${revision}x`), paused: false });
    }
    if (random.chance(0.002)) this.#otherWriter(random.pick([0, 50, 100]));
    if (random.chance(0.002)) {
      this.#time.offMs = random.pick([0, -3_000, 4_000, -45_000, 30_000]);
      this.#note(`the operator's clock is off by ${this.#time.offMs} ms`);
    }
    if (random.chance(0.002)) this.#secondUntilMs = this.#time.nowMs + random.int(2_000, 30_000);
  }

  #otherWriter(weight: number): void {
    const route = this.#server.get(routeResource, key);
    if (route === undefined || weight === undefined) return;
    this.#note(`another writer sets ${weight} %`);
    const backendRefs = [
      { name: 'stable', port: 80, weight: 100 - weight },
      { name: 'canary', port: 80, weight },
    ];
    const spec = { parentRefs: [{ name: 'gateway' }], rules: [{ backendRefs }] };
    this.#server.mergePatch(routeResource, key, { spec }, { fieldManager: 'other' });
  }

  /** The gateway accepts what it sees, in its own time. */
  #gateway(): void {
    const route = this.#server.get(routeResource, key);
    const { generation } = route?.metadata ?? {};
    const status = route?.['status'] as
      | { parents?: { conditions: { observedGeneration: number }[] }[] }
      | undefined;
    if (status?.parents?.[0]?.conditions[0]?.observedGeneration === generation) return;
    if (this.#random.chance(0.3)) return;
    const conditions = ['Accepted', 'ResolvedRefs'].map((type) => ({
      type,
      status: 'True',
      reason: type,
      message: '',
      observedGeneration: generation,
      lastTransitionTime: new Date(this.#time.nowMs).toISOString(),
    }));
    const parents = [
      { parentRef: { name: 'gateway' }, controllerName: 'sim.dev/gateway', conditions },
    ];
    this.#server.mergePatch(
      routeResource,
      { namespace, name },
      { status: { parents } },
      { subresource: 'status', fieldManager: 'gateway' },
    );
  }

  #startProcesses(): void {
    const { nowMs } = this.#time;
    if (this.#processes.length === 0 && nowMs >= this.#restartAtMs) {
      this.#note('a process starts');
      this.#processes.push(this.#newProcess());
    }
    const wantsSecond = nowMs < this.#secondUntilMs;
    if (wantsSecond && this.#processes.length === 1) {
      this.#note('a second process believes to lead');
      const second = this.#newProcess();
      if (this.#random.chance(0.5)) this.#processes[0]?.cluster.pauseWatch();
      this.#processes.push(second);
    }
    // A stream that has gone silent is noticed and opened anew: whoever is left alone sees the world again.
    if (this.#processes.length === 1) this.#processes[0]?.cluster.resumeWatch();
    if (!wantsSecond && this.#processes.length === 2) {
      this.#note('the first of two stops');
      this.#processes.shift();
    }
  }

  #newProcess(): Process {
    return new Process({
      time: this.#time,
      server: this.#server,
      ask: (question) => answer(question, this.#truth, this.#traffic, this.#time),
      ready: (service) =>
        within(
          service === 'stable' ? this.#truth.stableDown : this.#truth.canaryDown,
          this.#time.nowMs,
        )
          ? 0
          : 2,
      onRequest: (moment, request) => this.#onRequest(moment, request),
      onEvent: ({ reason, note }) => this.#note(`  event ${reason}: ${note}`),
      isLeading: () => true,
    });
  }

  /** The process dies, the answer is lost, or the server is not there. */
  #onRequest(moment: 'before' | 'after', { verb, resource }: FakeRequest): void {
    const what = `${moment} ${verb} ${resource.kind}`;
    if (within(this.#truth.apiDown, this.#time.nowMs)) {
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

  async #looksUntil(untilMs: number): Promise<void> {
    for (;;) {
      const due = this.#processes
        .filter((one) => one.wakeAtMs !== undefined && one.wakeAtMs < untilMs)
        .sort((a, b) => (a.wakeAtMs ?? 0) - (b.wakeAtMs ?? 0))[0];
      if (due?.wakeAtMs === undefined) return;
      this.#time.nowMs = Math.max(this.#time.nowMs, due.wakeAtMs);
      await this.#look(due);
      this.#looks += 1;
      if (this.#looks > LOOKS_MAX) throw new Violation('the operator looks without end');
    }
  }

  async #look(process: Process): Promise<void> {
    process.wakeAtMs = undefined;
    const earliestMs = this.#time.nowMs + 10;
    const wake = (atMs: number) => {
      process.wakeAtMs = Math.max(
        earliestMs,
        Math.min(process.wakeAtMs ?? Number.POSITIVE_INFINITY, atMs),
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
      if (error instanceof Killed) {
        this.#kills += 1;
        this.#processes = this.#processes.filter((one) => one !== process);
        this.#restartAtMs = this.#time.nowMs + this.#random.pick([1_000, 4_000, 15_000, 60_000]);
        return;
      }
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
