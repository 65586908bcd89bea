/**
 * Evidence on its way to the store: a small memory for each rollout, a few writers side by side, everything with a
 * deadline and tried again. A store that hangs costs snapshots, which are then counted as missing, and nothing else.
 */
import type { RolloutStatus } from '#api/status.ts';
import { type Answer, type MetricQuestion, questionKey } from '#core/answer.ts';
import type { EvidenceState } from '#core/evidence.ts';
import type { EvidenceLine } from '#core/record.ts';
import { completeRecord, type EventRecord, questionsOf } from '#core/record.ts';
import { makeReport } from '#core/report/report.ts';
import { suiteRecord, suiteRunsOf } from '#core/suite-record.ts';
import type { SuiteRun } from '#core/suite-state.ts';
import type { Clock } from '#ports/clock.ts';
import type { KubeObject, ObjectKey } from '#ports/cluster.ts';
import type { EvidenceOwner, EvidenceStore } from '#ports/evidence-store.ts';
import type { Logger } from '#ports/logger.ts';
import type { SuiteOrder } from '#ports/suite-runner.ts';
import { withDeadline } from '#runtime/deadline.ts';
import type { EvidenceKeeper, RecordSnapshot, WriteReport } from './evidence.ts';
import { EvidenceMemory, type WaitingLine } from './evidence-memory.ts';
import { rolloutKey } from './keys.ts';
import { parseStatus } from './observe.ts';

export interface EvidenceObserver {
  /** Lines that were kept, a try that failed, lines that were given up. */
  told(outcome: 'kept' | 'failed' | 'lost', count: number): void;
}

export interface EvidenceLogOptions {
  readonly store: EvidenceStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly observer?: EvidenceObserver;
  /** It is now known what is kept of this rollout, or a report is: worth a look. */
  readonly onChange: (key: ObjectKey) => void;
}

/** After a start rollbacks that became due meanwhile go first: what is kept of a thousand runs is read after them. */
const STARTING_MS = 5_000;
const LOAD_WAIT_MS = 3_000;
/** What comes together is written together. */
const GATHER_MS = 1_000;
const RETRY_MIN_MS = 1_000;
const RETRY_MAX_MS = 60_000;
/** One visit to the store: what one rollout has waiting. */
const VISIT_MAX_MS = 20_000;
const QUESTION_MAX_MS = 10_000;
/** A quarter of the connections: what a rollback writes never waits for all of them. */
const WRITERS_MAX = 8;

interface Entry {
  readonly key: ObjectKey;
  readonly memory: EvidenceMemory;
  state: 'idle' | 'gathering' | 'ready' | 'busy' | 'gone';
  failures: number;
  /** Its run was there before us. */
  isOld: boolean;
  cancel: () => void;
}

export class EvidenceLog implements EvidenceKeeper {
  readonly #options: EvidenceLogOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #ready: Entry[] = [];
  readonly #stopping = new AbortController();
  #writers = 0;
  #firstLookMs: number | undefined;
  #isClosing = false;

  constructor(options: EvidenceLogOptions) {
    this.#options = options;
  }

  stateOf(
    rollout: KubeObject,
    status: RolloutStatus,
    keepRuns: number | undefined,
  ): EvidenceState | undefined {
    const entry = this.#entryOf(rollout);
    const { runId } = status;
    if (runId !== undefined && keepRuns !== undefined) entry.memory.current = { runId, keepRuns };
    entry.isOld ||= isOlderThan(status, this.#options.clock.now() - STARTING_MS);
    if (entry.memory.hasWork || !entry.memory.isLoaded) this.#gather(entry);
    if (!entry.memory.isLoaded || runId === undefined) return undefined;
    return {
      recorded: entry.memory.recorded(runId),
      report: entry.memory.report(runId),
      reportAt: this.#options.store.reportAt(entry.memory.owner, runId),
    };
  }

  keepSnapshot(
    rollout: KubeObject,
    { runId, index, draft }: RecordSnapshot,
    ask: (question: MetricQuestion, signal: AbortSignal) => Promise<Answer>,
  ): void {
    const entry = this.#entryOf(rollout);
    const { memory } = entry;
    if (!memory.begin(runId, index)) return;
    memory.drafts += 1;
    const finish = (answers: ReadonlyMap<string, Answer>): void => {
      memory.drafts -= 1;
      this.#add(entry, runId, draft.startedAtMs, completeRecord(draft, answers));
    };
    this.#answers(questionsOf(draft), ask).then(finish, () => finish(new Map()));
  }

  keepReport(rollout: KubeObject, { runId, source }: WriteReport): void {
    const entry = this.#entryOf(rollout);
    entry.memory.askFor(runId, source);
    this.#gather(entry);
  }

  keepEvents(rollout: KubeObject, status: RolloutStatus, events: readonly EventRecord[]): void {
    const { runId, startedAt } = status;
    if (runId === undefined || startedAt === undefined || events.length === 0) return;
    const entry = this.#entryOf(rollout);
    if (entry.memory.isComplete(runId)) return;
    for (const event of events) this.#add(entry, runId, Date.parse(startedAt), event);
  }

  keepSuiteRun({ rollout, suite, runId }: SuiteOrder, run: SuiteRun): void {
    const { startedAt, runId: current } = parseStatus(rollout);
    // One that an older run of the rollout has left says nothing of this one.
    if (startedAt === undefined || current !== runId) return;
    const entry = this.#entryOf(rollout);
    if (entry.memory.isComplete(runId)) return;
    this.#add(entry, runId, Date.parse(startedAt), suiteRecord(suite.name, run));
  }

  keptSuiteRuns(
    rollout: KubeObject,
    runId: string,
  ): ReadonlyMap<string, readonly SuiteRun[]> | undefined {
    const entry = this.#entryOf(rollout);
    const known = entry.memory.suiteRuns(runId);
    if (known === undefined) this.#gather(entry);
    return known;
  }

  forget(key: ObjectKey): void {
    const entry = this.#entries.get(rolloutKey(key));
    if (entry === undefined) return;
    entry.cancel();
    entry.state = 'gone';
    this.#entries.delete(rolloutKey(key));
  }

  /** Writes what is waiting, for as long as the signal allows. */
  async close(signal: AbortSignal): Promise<void> {
    this.#isClosing = true;
    for (const entry of this.#entries.values()) {
      if (entry.state === 'gathering') this.#line(entry);
    }
    const isBusy = () =>
      [...this.#entries.values()].some(({ memory }) => memory.drafts > 0 || memory.hasWork);
    while (isBusy() && !signal.aborted) {
      await this.#options.clock.sleep(10, signal).catch(() => undefined);
    }
    this.#stopping.abort(new Error('the operator is being stopped'));
  }

  #entryOf(rollout: KubeObject): Entry {
    const owner = ownerOf(rollout);
    const id = rolloutKey(owner);
    const known = this.#entries.get(id);
    if (known !== undefined && known.memory.owner.uid === owner.uid) return known;
    if (known !== undefined) this.forget(owner);
    const entry: Entry = {
      key: { namespace: owner.namespace, name: owner.name },
      memory: new EvidenceMemory(owner),
      state: 'idle',
      failures: 0,
      isOld: false,
      cancel: () => undefined,
    };
    this.#entries.set(id, entry);
    return entry;
  }

  /** Each with its own deadline; one that is not answered is recorded as such. */
  async #answers(
    questions: readonly MetricQuestion[],
    ask: (question: MetricQuestion, signal: AbortSignal) => Promise<Answer>,
  ): Promise<ReadonlyMap<string, Answer>> {
    const { clock } = this.#options;
    const settled = await Promise.allSettled(
      questions.map(async (question) => {
        const answer = await withDeadline(
          clock,
          QUESTION_MAX_MS,
          [this.#stopping.signal],
          (signal) => ask(question, signal),
        );
        return [questionKey(question), answer] as const;
      }),
    );
    return new Map(settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : [])));
  }

  #add(entry: Entry, runId: string, startedAtMs: number, line: EvidenceLine): void {
    const dropped = entry.memory.add(runId, startedAtMs, line);
    if (dropped.length > 0) this.#lost(entry, dropped.length, 'the store has not taken them');
    this.#gather(entry);
  }

  /** Its turn comes in a moment, or after a pause where the store has just failed. */
  #gather(entry: Entry): void {
    if (entry.state !== 'idle') return;
    entry.state = 'gathering';
    const pauseMs = Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** (entry.failures - 1));
    const delayMs = entry.failures === 0 ? this.#gatherMs(entry) : pauseMs;
    entry.cancel = this.#options.clock.after(delayMs, () => this.#line(entry));
  }

  #gatherMs({ memory, isOld }: Entry): number {
    if (this.#isClosing || (!memory.isLoaded && !isOld)) return 0;
    // Triggers on suites wait for it.
    if (memory.suitesToRead.length > 0) return 0;
    if (memory.isLoaded) return GATHER_MS;
    const nowMs = this.#options.clock.monotonic();
    this.#firstLookMs ??= nowMs;
    return nowMs - this.#firstLookMs < STARTING_MS ? LOAD_WAIT_MS : 0;
  }

  #line(entry: Entry): void {
    if (entry.state !== 'gathering') return;
    entry.cancel();
    entry.state = 'ready';
    this.#ready.push(entry);
    this.#dispatch();
  }

  #dispatch(): void {
    while (this.#writers < WRITERS_MAX) {
      const entry = this.#ready.shift();
      if (entry === undefined) return;
      if (entry.state !== 'ready') continue;
      entry.state = 'busy';
      this.#writers += 1;
      const isOver = (error?: unknown): void => this.#visited(entry, error);
      this.#visit(entry).then(() => isOver(), isOver);
    }
  }

  #visited(entry: Entry, error: unknown): void {
    this.#writers -= 1;
    if (error === undefined) {
      entry.failures = 0;
    } else {
      entry.failures += 1;
      this.#options.observer?.told('failed', 1);
      const fields = { ...entry.key, err: error, failures: entry.failures };
      this.#options.logger.warn(fields, 'evidence could not be kept; it is tried again');
    }
    if (entry.state === 'busy') {
      entry.state = 'idle';
      if (entry.memory.hasWork || !entry.memory.isLoaded) this.#gather(entry);
    }
    this.#dispatch();
  }

  async #visit(entry: Entry): Promise<void> {
    const { clock, onChange, store } = this.#options;
    const { memory } = entry;
    await withDeadline(clock, VISIT_MAX_MS, [this.#stopping.signal], async (signal) => {
      if (!memory.isLoaded) {
        memory.loaded(await store.runs(memory.owner, signal));
        onChange(entry.key);
      }
      await this.#append(entry, signal);
      for (const runId of memory.suitesToRead) {
        memory.suitesRead(runId, suiteRunsOf(await store.read(memory.owner, runId, signal)));
        onChange(entry.key);
      }
      await this.#writeReports(entry, signal);
      for (const { runId, number } of memory.segmentsToClose()) {
        await store.close({ owner: memory.owner, runId, number }, signal);
        memory.closed(runId, number);
      }
      for (const runId of memory.surplusRuns) {
        await store.remove(memory.owner, runId, signal);
        memory.removed(runId);
      }
    });
  }

  async #append(entry: Entry, signal: AbortSignal): Promise<void> {
    const { memory } = entry;
    for (const group of bySegment(memory.waiting)) {
      const [{ runId, segment }] = group;
      const lines = group.map(({ line }) => line);
      const place = { owner: memory.owner, runId, number: segment };
      const never = await this.#options.store.append(place, lines, signal);
      memory.kept(group, never);
      this.#options.observer?.told('kept', lines.length - never.length);
      if (never.length > 0) this.#lost(entry, never.length, 'their segment is closed or full');
    }
  }

  async #writeReports({ key, memory }: Entry, signal: AbortSignal): Promise<void> {
    const { store, onChange } = this.#options;
    for (const [runId, source] of memory.reports) {
      // What is still being asked belongs into it.
      if (memory.drafts > 0 && source.isFinal) continue;
      const lines = await store.read(memory.owner, runId, signal);
      const report = makeReport(source, lines);
      const json = JSON.stringify(report.data, undefined, 1);
      const kept = { markdown: report.markdown, json, isFinal: source.isFinal };
      await store.writeReport(memory.owner, runId, kept, signal);
      memory.reported(runId, source);
      onChange(key);
    }
  }

  #lost({ key }: Entry, count: number, why: string): void {
    this.#options.observer?.told('lost', count);
    this.#options.logger.warn({ ...key, count }, `evidence is lost: ${why}`);
  }
}

function isOlderThan({ startedAt }: RolloutStatus, atMs: number): boolean {
  return startedAt !== undefined && Date.parse(startedAt) < atMs;
}

function ownerOf(rollout: KubeObject): EvidenceOwner {
  const { namespace = '', name, uid = '' } = rollout.metadata;
  return { apiVersion: rollout.apiVersion, kind: rollout.kind, namespace, name, uid };
}

/** In the order in which they came. */
function bySegment(
  lines: readonly WaitingLine[],
): readonly (readonly [WaitingLine, ...WaitingLine[]])[] {
  const groups = new Map<string, [WaitingLine, ...WaitingLine[]]>();
  for (const line of lines) {
    const id = `${line.runId} ${line.segment}`;
    const group = groups.get(id);
    if (group === undefined) groups.set(id, [line]);
    else group.push(line);
  }
  return [...groups.values()];
}
