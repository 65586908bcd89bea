/**
 * Evidence in a directory, for clusters with so many rollouts that ConfigMaps would burden the API server:
 * `<namespace>/<rollout>/<run>/s0000.jsonl.gz`, `report.md`, `report.json`. A file is written beside its place and moved there,
 * so that it is always whole. Only the leader writes.
 */
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { noIndices, union } from '#core/index-ranges.ts';
import type { EvidenceLine } from '#core/record.ts';
import type {
  EvidenceOwner,
  EvidenceStore,
  KeptReport,
  KeptRun,
  Segment,
} from '#ports/evidence-store.ts';
import { emptyPage, gzipCodec, indicesOf, newLines, type Page } from './lines.ts';

const SEGMENT_FILE = /^s([0-9]{4,})\.jsonl\.gz$/;
/** Which kinds of name can be no path out of the directory. */
const SAFE_NAME = /^[A-Za-z0-9][A-Za-z0-9.-]*$/;

export function createDirectoryStore(directory: string): EvidenceStore {
  return new DirectoryStore(directory);
}

class DirectoryStore implements EvidenceStore {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  async runs(owner: EvidenceOwner, signal: AbortSignal): Promise<readonly KeptRun[]> {
    const runIds = await readdirOf(this.#rolloutPath(owner));
    const runs: KeptRun[] = [];
    for (const runId of runIds.filter((name) => SAFE_NAME.test(name))) {
      signal.throwIfAborted();
      runs.push(await this.#run(owner, runId, signal));
    }
    return runs;
  }

  async append(
    { owner, runId, number }: Segment,
    lines: readonly EvidenceLine[],
    signal: AbortSignal,
  ): Promise<readonly EvidenceLine[]> {
    const path = this.#segmentPath(owner, runId, number);
    const found = await pageAt(path, signal);
    // What somebody has spoilt is put aside, not overwritten.
    if (found === undefined) await rename(path, `${path}.spoilt`);
    const known = found ?? emptyPage;
    const left = newLines(known.lines, lines);
    if (left.length === 0) return [];
    const page = { ...known, lines: [...known.lines, ...left] };
    await writeWhole(path, await gzipCodec.encode(page), signal);
    return [];
  }

  /** Nobody else adds to a file, and a late event may. */
  async close(): Promise<void> {
    await Promise.resolve();
  }

  async read(
    owner: EvidenceOwner,
    runId: string,
    signal: AbortSignal,
  ): Promise<readonly EvidenceLine[]> {
    const lines: EvidenceLine[] = [];
    for (const path of await this.#segments(owner, runId)) {
      lines.push(...newLines(lines, await linesIn(path, signal)));
    }
    return lines;
  }

  async readReport(
    owner: EvidenceOwner,
    runId: string,
    signal: AbortSignal,
  ): Promise<Pick<KeptReport, 'markdown' | 'isFinal'> | undefined> {
    const path = this.#runPath(owner, runId);
    const files = await readdirOf(path);
    if (!files.includes('report.md')) return undefined;
    const markdown = await readFile(join(path, 'report.md'), { encoding: 'utf8', signal });
    return { markdown, isFinal: files.includes(FINAL) };
  }

  async writeReport(
    owner: EvidenceOwner,
    runId: string,
    report: KeptReport,
    signal: AbortSignal,
  ): Promise<void> {
    const path = this.#runPath(owner, runId);
    const known = await readdirOf(path);
    if (known.includes(FINAL)) return;
    await writeWhole(join(path, 'report.md'), Buffer.from(report.markdown), signal);
    await writeWhole(join(path, 'report.json'), Buffer.from(report.json), signal);
    if (report.isFinal) await writeWhole(join(path, FINAL), Buffer.alloc(0), signal);
  }

  reportAt(owner: EvidenceOwner, runId: string): string {
    return `file/${owner.namespace}/${owner.name}/${runId}/report.md`;
  }

  async remove(owner: EvidenceOwner, runId: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await rm(this.#runPath(owner, runId), { recursive: true, force: true });
  }

  async #run(owner: EvidenceOwner, runId: string, signal: AbortSignal): Promise<KeptRun> {
    const path = this.#runPath(owner, runId);
    const files = await readdirOf(path);
    let recorded = noIndices;
    for (const segment of await this.#segments(owner, runId)) {
      recorded = union(recorded, indicesOf(await linesIn(segment, signal)));
    }
    const report = files.includes(FINAL)
      ? 'final'
      : files.includes('report.md')
        ? 'interim'
        : 'none';
    const { birthtimeMs, mtimeMs } = await stat(path);
    return { runId, sinceMs: birthtimeMs || mtimeMs, recorded, openSegments: [], report };
  }

  async #segments(owner: EvidenceOwner, runId: string): Promise<string[]> {
    const path = this.#runPath(owner, runId);
    const files = (await readdirOf(path)).filter((name) => SEGMENT_FILE.test(name));
    return files.toSorted().map((name) => join(path, name));
  }

  #segmentPath(owner: EvidenceOwner, runId: string, number: number): string {
    return join(this.#runPath(owner, runId), `s${String(number).padStart(4, '0')}.jsonl.gz`);
  }

  #runPath(owner: EvidenceOwner, runId: string): string {
    return join(this.#rolloutPath(owner), safe(runId));
  }

  #rolloutPath({ namespace, name }: EvidenceOwner): string {
    return join(this.#root, safe(namespace), safe(name));
  }
}

/** Its being there says that the report is final. */
const FINAL = 'report.final';

function safe(name: string): string {
  if (SAFE_NAME.test(name)) return name;
  throw new RangeError(`${JSON.stringify(name)} cannot be the name of a directory`);
}

async function linesIn(path: string, signal: AbortSignal): Promise<readonly EvidenceLine[]> {
  const page = await pageAt(path, signal);
  return page?.lines ?? [];
}

/** A file that is not there has no lines; undefined when its bytes are none of ours. */
async function pageAt(path: string, signal: AbortSignal): Promise<Page | undefined> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path, { signal });
  } catch (error) {
    if (isMissing(error)) return emptyPage;
    throw error;
  }
  return gzipCodec.decode(bytes).catch(() => undefined);
}

async function writeWhole(path: string, bytes: Buffer, signal: AbortSignal): Promise<void> {
  await mkdir(join(path, '..'), { recursive: true });
  const beside = `${path}.new`;
  await writeFile(beside, bytes, { signal, flush: true });
  await rename(beside, path);
}

async function readdirOf(path: string): Promise<string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && Reflect.get(error, 'code') === 'ENOENT';
}
