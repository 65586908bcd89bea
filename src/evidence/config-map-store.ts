/**
 * Evidence in ConfigMaps that the rollout owns: a segment for six hours, immutable once it is closed. Every
 * addition reads the segment and writes it whole, guarded by its resourceVersion, so two leaders lose nothing.
 */
import {
  annotations,
  configMapResource,
  fieldManager,
  labels,
  managedByValue,
} from '#api/names.ts';
import { type IndexRanges, noIndices, parseRanges, rangesText, union } from '#core/index-ranges.ts';
import type { EvidenceLine } from '#core/record.ts';
import { type Cluster, ClusterError, type KubeObject, type ObjectMeta } from '#ports/cluster.ts';
import type {
  EvidenceOwner,
  EvidenceStore,
  KeptReport,
  KeptRun,
  Segment,
} from '#ports/evidence-store.ts';
import {
  bytesOf,
  isClosed,
  isOwnedBy,
  LINES_KEY,
  metadataOf,
  parseSegmentName,
  reportName,
  segmentName,
} from './config-map.ts';
import { emptyPage, gzipCodec, indicesOf, type LineCodec, newLines, type Page } from './lines.ts';

/** A part this large goes on in a further one: each addition writes the whole part. */
const PART_BYTES_MAX = 256 * 2 ** 10;
/** The API server takes 1 MiB of data in a ConfigMap. */
const OBJECT_BYTES_MAX = 1_000_000;
/** Others write in between at most as often as there are leaders. */
const TRIES_MAX = 5;

export interface ConfigMapStoreOptions {
  readonly cluster: Cluster;
  /** For tests: smaller parts. */
  readonly partBytesMax?: number;
  /** Default: gzip. */
  readonly codec?: LineCodec;
}

export function createConfigMapStore(options: ConfigMapStoreOptions): EvidenceStore {
  return new ConfigMapStore(options);
}

class ConfigMapStore implements EvidenceStore {
  readonly #cluster: Cluster;
  readonly #partBytesMax: number;
  readonly #codec: LineCodec;

  constructor({
    cluster,
    partBytesMax = PART_BYTES_MAX,
    codec = gzipCodec,
  }: ConfigMapStoreOptions) {
    this.#cluster = cluster;
    this.#partBytesMax = partBytesMax;
    this.#codec = codec;
  }

  async runs(owner: EvidenceOwner, signal: AbortSignal): Promise<readonly KeptRun[]> {
    const byRun = new Map<string, ObjectMeta[]>();
    for (const metadata of await this.#list(owner, {}, signal)) {
      const runId = metadata.labels?.[labels.run] ?? '';
      byRun.set(runId, [...(byRun.get(runId) ?? []), metadata]);
    }
    return [...byRun].map(([runId, objects]) => keptRun(runId, objects));
  }

  async append(
    segment: Segment,
    lines: readonly EvidenceLine[],
    signal: AbortSignal,
  ): Promise<readonly EvidenceLine[]> {
    let left = lines;
    for (let part = 0; left.length > 0; part += 1) {
      const outcome = await this.#appendTo(segment, part, left, signal);
      if (outcome.type === 'kept') return [];
      if (outcome.type === 'never') return outcome.lines;
      left = outcome.lines;
    }
    return [];
  }

  async close({ owner, runId, number }: Segment, signal: AbortSignal): Promise<void> {
    const all = await this.#list(owner, { [labels.run]: runId }, signal);
    const patch = { metadata: { annotations: { [annotations.closed]: 'true' } }, immutable: true };
    for (const metadata of all) {
      if (parseSegmentName(metadata.name)?.segment !== number || isClosed(metadata)) continue;
      const key = { namespace: owner.namespace, name: metadata.name };
      await this.#cluster.mergePatch(configMapResource, key, patch, { fieldManager, signal });
    }
  }

  async read(
    owner: EvidenceOwner,
    runId: string,
    signal: AbortSignal,
  ): Promise<readonly EvidenceLine[]> {
    const names = (await this.#list(owner, { [labels.run]: runId }, signal))
      .map(({ name }) => name)
      .filter((name) => parseSegmentName(name) !== undefined)
      .toSorted(byPlace);
    const lines: EvidenceLine[] = [];
    for (const name of names) {
      const key = { namespace: owner.namespace, name };
      const object = await this.#cluster.get(configMapResource, key, signal);
      const page = object && (await this.#pageOf(object));
      lines.push(...newLines(lines, page?.lines ?? []));
    }
    return lines;
  }

  async readReport(
    owner: EvidenceOwner,
    runId: string,
    signal: AbortSignal,
  ): Promise<Pick<KeptReport, 'markdown' | 'isFinal'> | undefined> {
    const key = { namespace: owner.namespace, name: reportName(owner, runId) };
    const found = await this.#cluster.get(configMapResource, key, signal);
    const data = found?.['data'];
    const markdown: unknown =
      typeof data === 'object' && data !== null ? Reflect.get(data, 'report.md') : undefined;
    if (found === undefined || typeof markdown !== 'string') return undefined;
    const state = found.metadata.annotations?.[annotations.report];
    return { markdown, isFinal: state === 'final' };
  }

  async writeReport(
    owner: EvidenceOwner,
    runId: string,
    report: KeptReport,
    signal: AbortSignal,
  ): Promise<void> {
    const name = reportName(owner, runId);
    const state = report.isFinal ? 'final' : 'interim';
    const metadata = metadataOf(owner, runId, {
      name,
      purpose: 'report',
      annotations: { [annotations.report]: state },
    });
    const content = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      data: { 'report.md': report.markdown, 'report.json': report.json },
      ...(report.isFinal ? { immutable: true } : {}),
    };
    const options = { fieldManager, signal };
    await this.#onRace(async () => {
      const key = { namespace: owner.namespace, name };
      const known = await this.#cluster.get(configMapResource, key, signal);
      if (known === undefined) {
        await this.#cluster.create(configMapResource, { ...content, metadata }, options);
      } else if (known.metadata.annotations?.[annotations.report] !== 'final') {
        const { resourceVersion } = known.metadata;
        const next = { ...metadata, ...(resourceVersion === undefined ? {} : { resourceVersion }) };
        await this.#cluster.replace(configMapResource, { ...content, metadata: next }, options);
      }
    });
  }

  reportAt(owner: EvidenceOwner, runId: string): string {
    return `configmap/${reportName(owner, runId)}`;
  }

  async remove(owner: EvidenceOwner, runId: string, signal: AbortSignal): Promise<void> {
    for (const { name } of await this.#list(owner, { [labels.run]: runId }, signal)) {
      const key = { namespace: owner.namespace, name };
      await this.#cluster.delete(configMapResource, key, { signal }).catch(unlessGone);
    }
  }

  async #list(
    owner: EvidenceOwner,
    also: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<ObjectMeta[]> {
    const where = { [labels.rollout]: owner.name, [labels.managedBy]: managedByValue, ...also };
    const all = await this.#cluster.listMetadata(
      configMapResource,
      { namespace: owner.namespace, labels: where },
      signal,
    );
    return all.filter((metadata) => isOwnedBy(metadata, owner));
  }

  /** `next`: what is left goes into the next part. */
  #appendTo(
    segment: Segment,
    part: number,
    lines: readonly EvidenceLine[],
    signal: AbortSignal,
  ): Promise<Appended> {
    const { owner, runId } = segment;
    const name = segmentName(owner, runId, segment.number, part);
    return this.#onRace(async () => {
      const key = { namespace: owner.namespace, name };
      const object = await this.#cluster.get(configMapResource, key, signal);
      const known = object === undefined ? emptyPage : await this.#pageOf(object);
      // What somebody has spoilt is left as it is.
      if (known === undefined) return { type: 'next', lines };
      const left = newLines(known.lines, lines);
      if (left.length === 0) return { type: 'kept' };
      if (object !== undefined && isClosed(object.metadata)) return { type: 'never', lines: left };
      const bytes = object === undefined ? undefined : bytesOf(object);
      if (bytes !== undefined && bytes.length >= this.#partBytesMax) {
        return { type: 'next', lines: left };
      }
      const all = [...known.lines, ...left];
      const encoded = await this.#codec.encode({ ...known, lines: all });
      if (encoded.length > OBJECT_BYTES_MAX) {
        return { type: object === undefined ? 'never' : 'next', lines: left };
      }
      await this.#put(segment, { name, encoded, recorded: indicesOf(all), before: object }, signal);
      return { type: 'kept' };
    });
  }

  async #put(
    { owner, runId }: Segment,
    part: {
      readonly name: string;
      readonly encoded: Buffer;
      readonly recorded: IndexRanges;
      readonly before: KubeObject | undefined;
    },
    signal: AbortSignal,
  ): Promise<void> {
    const { name, encoded, recorded, before } = part;
    const metadata = metadataOf(owner, runId, {
      name,
      purpose: 'snapshots',
      annotations: { [annotations.recorded]: rangesText(recorded) },
    });
    const content = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      binaryData: { [LINES_KEY]: encoded.toString('base64') },
    };
    const options = { fieldManager, signal };
    if (before === undefined) {
      await this.#cluster.create(configMapResource, { ...content, metadata }, options);
      return;
    }
    const { resourceVersion } = before.metadata;
    const next = { ...metadata, ...(resourceVersion === undefined ? {} : { resourceVersion }) };
    await this.#cluster.replace(configMapResource, { ...content, metadata: next }, options);
  }

  /** @returns undefined when the bytes are none of ours */
  async #pageOf(object: KubeObject): Promise<Page | undefined> {
    const bytes = bytesOf(object);
    if (bytes === undefined) return undefined;
    try {
      return await this.#codec.decode(bytes);
    } catch {
      return undefined;
    }
  }

  /** Somebody else wrote in between: what is there now is read, and the work done anew. */
  async #onRace<T>(work: () => Promise<T>): Promise<T> {
    for (let tryNumber = 1; ; tryNumber += 1) {
      try {
        return await work();
      } catch (error) {
        const isRace =
          error instanceof ClusterError &&
          (error.fault === 'conflict' || error.fault === 'alreadyExists');
        if (!isRace || tryNumber >= TRIES_MAX) throw error;
      }
    }
  }
}

type Appended =
  | { readonly type: 'kept' }
  | { readonly type: 'next' | 'never'; readonly lines: readonly EvidenceLine[] };

function keptRun(runId: string, objects: readonly ObjectMeta[]): KeptRun {
  const segments = objects.flatMap((metadata) => {
    const place = parseSegmentName(metadata.name);
    return place === undefined ? [] : [{ metadata, ...place }];
  });
  const report = objects
    .map((metadata) => metadata.annotations?.[annotations.report])
    .find((state) => state === 'interim' || state === 'final');
  const open = segments.filter(({ metadata }) => !isClosed(metadata)).map((one) => one.segment);
  return {
    runId,
    sinceMs: Math.min(...objects.map((one) => Date.parse(one.creationTimestamp ?? '') || 0)),
    recorded: segments
      .map(({ metadata }) => parseRanges(metadata.annotations?.[annotations.recorded] ?? ''))
      .reduce(union, noIndices),
    openSegments: [...new Set(open)].toSorted((a, b) => a - b),
    report: report ?? 'none',
  };
}

function byPlace(a: string, b: string): number {
  const [one, other] = [parseSegmentName(a), parseSegmentName(b)];
  if (one === undefined || other === undefined) return 0;
  return one.segment - other.segment || one.part - other.part;
}

function unlessGone(error: unknown): void {
  if (!(error instanceof ClusterError && error.fault === 'notFound')) throw error;
}
