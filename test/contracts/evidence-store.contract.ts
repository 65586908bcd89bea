/** What every evidence store promises, whatever it writes to. The same suite runs over ConfigMaps, fake and real, and a directory. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { EventRecord, EvidenceLine, SnapshotRecord } from '#core/record.ts';
import type { EvidenceOwner, EvidenceStore, KeptRun, Segment } from '#ports/evidence-store.ts';

export interface StoreUnderTest {
  readonly store: EvidenceStore;
  /** A second process on the same place. */
  readonly other: EvidenceStore;
  /** A rollout that is really there, so that it can own something. */
  owner(name: string): Promise<EvidenceOwner>;
  /** True where closed segments refuse what comes late. */
  readonly closes: boolean;
  close(): Promise<void>;
}

const LIMIT_MS = 30_000;
const RUN = '7f3a0c1d2e4b5a69';

export function snapshotRecord(
  index: number,
  overrides: Partial<SnapshotRecord> = {},
): SnapshotRecord {
  const at = new Date(Date.UTC(2026, 10, 22, 12) + index * 300_000).toISOString();
  return {
    type: 'snapshot',
    index,
    dueAt: at,
    at,
    phase: 'Progressing',
    step: 'half',
    weight: 50,
    metrics: {
      'error-rate': { value: 0.0008 },
      latency: { none: 'noData', message: 'the query answers nothing' },
      burst: { value: 'Infinity' },
    },
    triggers: [
      { name: 'errors', severity: 'Critical', state: 'Inactive', reading: { value: 0.0008 } },
      { name: 'canary-down', severity: 'Critical', state: 'Inactive' },
    ],
    suites: [
      {
        name: 'smoke',
        startedAt: at,
        finishedAt: at,
        outcome: {
          type: 'done',
          total: 10,
          passed: 9,
          failed: 1,
          skipped: 0,
          knownFlaky: 1,
          newFailures: 0,
          failures: ['test_network_retry'],
        },
      },
    ],
    alerts: [{ name: 'HighLoad', severity: 'warning', count: 2 }],
    health: { prometheus: 'Up', alertmanager: 'NotConfigured', grafana: 'NotConfigured' },
    ...overrides,
  };
}

export function eventRecord(note: string, at = '2026-11-22T12:00:00Z'): EventRecord {
  return { type: 'event', at, kind: 'Normal', reason: 'StepEntered', note };
}

export function evidenceStoreContract(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(`${name} keeps the contract of an evidence store`, () => {
    let shared: StoreUnderTest;
    let count = 0;
    before(async () => {
      shared = await open();
    });
    after(async () => {
      await shared.close();
    });
    const bench = async (): Promise<Bench> => {
      count += 1;
      return new Bench(shared, await shared.owner(`kept-${count}`));
    };

    test('gives back what it was given, whole and in order', async () => {
      const it = await bench();
      const lines = [eventRecord('a step'), snapshotRecord(1), snapshotRecord(2)];
      assert.deepEqual(await it.append(0, lines), []);
      assert.deepEqual(await it.append(0, [snapshotRecord(3)]), []);
      assert.deepEqual(await it.append(1, [snapshotRecord(73)]), []);
      assert.deepEqual(await it.read(), [...lines, snapshotRecord(3), snapshotRecord(73)]);
      assert.deepEqual((await it.run())?.recorded, [
        [1, 3],
        [73, 73],
      ]);
    });

    test('keeps a snapshot once, and the first that came', async () => {
      const it = await bench();
      await it.append(0, [snapshotRecord(1), eventRecord('told')]);
      const later = snapshotRecord(1, { phase: 'Held' });
      assert.deepEqual(await it.append(0, [later, eventRecord('told'), snapshotRecord(2)]), []);
      assert.deepEqual(await it.read(), [
        snapshotRecord(1),
        eventRecord('told'),
        snapshotRecord(2),
      ]);
    });

    test('keeps a run of a suite once, whoever brings it', async () => {
      const it = await bench();
      const [suite] = snapshotRecord(1).suites;
      assert.ok(suite !== undefined);
      const line = { type: 'suite', ...suite } as const;
      const next = { ...line, startedAt: '2026-11-22T13:05:00.000Z' };
      await it.append(0, [line, snapshotRecord(1)]);
      assert.deepEqual(await it.append(0, [line, next]), []);
      assert.deepEqual(await it.read(), [line, snapshotRecord(1), next]);
      assert.deepEqual((await it.run())?.recorded, [[1, 1]]);
    });

    test('knows nothing of a run that has none, and keeps runs and rollouts apart', async () => {
      const it = await bench();
      assert.deepEqual(await shared.store.runs(it.owner, it.signal), []);
      assert.deepEqual(await it.read(), []);
      await it.append(0, [snapshotRecord(1)]);
      await it.append(0, [snapshotRecord(9)], 'another');
      const neighbour = await bench();
      await neighbour.append(0, [snapshotRecord(5)]);
      assert.deepEqual(await it.read(), [snapshotRecord(1)]);
      const runs = await shared.store.runs(it.owner, it.signal);
      assert.deepEqual(runs.map(({ runId }) => runId).toSorted(), [RUN, 'another']);
    });

    test('loses nothing of what two processes write side by side', async () => {
      const it = await bench();
      if (shared.closes) {
        await Promise.all([
          it.append(0, [snapshotRecord(1), snapshotRecord(2)]),
          shared.other.append(it.segment(0), [snapshotRecord(2), snapshotRecord(3)], it.signal),
        ]);
      } else {
        await it.append(0, [snapshotRecord(1), snapshotRecord(2)]);
        await shared.other.append(it.segment(0), [snapshotRecord(2), snapshotRecord(3)], it.signal);
      }
      const indices = (await it.read()).flatMap((one) =>
        one.type === 'snapshot' ? [one.index] : [],
      );
      assert.deepEqual(
        indices.toSorted((a, b) => a - b),
        [1, 2, 3],
      );
      assert.deepEqual((await it.run())?.recorded, [[1, 3]]);
    });

    test('says what of a closed segment comes too late, and closes twice without harm', async () => {
      const it = await bench();
      await it.append(0, [snapshotRecord(1)]);
      await it.append(1, [snapshotRecord(73)]);
      await shared.store.close(it.segment(0), it.signal);
      await shared.store.close(it.segment(0), it.signal);
      await shared.store.close(it.segment(7), it.signal);
      const late = [snapshotRecord(1), snapshotRecord(2)];
      assert.deepEqual(await it.append(0, late), shared.closes ? [snapshotRecord(2)] : []);
      if (shared.closes) assert.deepEqual((await it.run())?.openSegments, [1]);
      assert.equal((await it.read())[0]?.type, 'snapshot');
    });

    test('keeps a report, a newer one in its place, and a final one for good', async () => {
      const it = await bench();
      const at = shared.store.reportAt(it.owner, RUN);
      assert.match(at, new RegExp(`^(configmap|file)/.*${RUN}.*report`));
      const write = (markdown: string, isFinal: boolean) =>
        shared.store.writeReport(
          it.owner,
          RUN,
          { markdown, json: JSON.stringify({ markdown }), isFinal },
          it.signal,
        );
      const read = () => shared.store.readReport(it.owner, RUN, it.signal);
      assert.equal(await read(), undefined);
      await write('first', false);
      assert.deepEqual(await read(), { markdown: 'first', isFinal: false });
      assert.equal((await it.run())?.report, 'interim');
      await write('second', false);
      await write('third', true);
      await write('fourth', true);
      assert.deepEqual(await read(), { markdown: 'third', isFinal: true });
      assert.equal((await it.run())?.report, 'final');
    });

    test('takes away one run and leaves the others', async () => {
      const it = await bench();
      await it.append(0, [snapshotRecord(1)]);
      await it.append(3, [snapshotRecord(220)]);
      await it.append(0, [snapshotRecord(1)], 'another');
      await shared.store.writeReport(
        it.owner,
        RUN,
        { markdown: 'm', json: '{}', isFinal: true },
        it.signal,
      );
      await shared.store.close(it.segment(0), it.signal);
      await shared.store.remove(it.owner, RUN, it.signal);
      await shared.store.remove(it.owner, RUN, it.signal);
      const runs = await shared.store.runs(it.owner, it.signal);
      assert.deepEqual(
        runs.map(({ runId }) => runId),
        ['another'],
      );
    });
  });
}

class Bench {
  readonly owner: EvidenceOwner;
  readonly #shared: StoreUnderTest;

  constructor(shared: StoreUnderTest, owner: EvidenceOwner) {
    this.#shared = shared;
    this.owner = owner;
  }

  get signal(): AbortSignal {
    return AbortSignal.timeout(LIMIT_MS);
  }

  segment(number: number, runId = RUN): Segment {
    return { owner: this.owner, runId, number };
  }

  append(
    number: number,
    lines: readonly EvidenceLine[],
    runId = RUN,
  ): Promise<readonly EvidenceLine[]> {
    return this.#shared.store.append(this.segment(number, runId), lines, this.signal);
  }

  read(): Promise<readonly EvidenceLine[]> {
    return this.#shared.other.read(this.owner, RUN, this.signal);
  }

  async run(): Promise<KeptRun | undefined> {
    const runs = await this.#shared.other.runs(this.owner, this.signal);
    return runs.find(({ runId }) => runId === RUN);
  }
}
