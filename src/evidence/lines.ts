/** Lines of evidence as they are kept: one JSON object a line, gzipped. What cannot be read back is kept as it is. */
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { z } from 'zod';
import { assertNever } from '#core/assert.ts';
import { type IndexRanges, noIndices, withIndex } from '#core/index-ranges.ts';
import type { EvidenceLine } from '#core/record.ts';

const compress = promisify(gzip);
const decompress = promisify(gunzip);

/** A segment of the longest records is far below; more than this is no segment of ours. */
const TEXT_BYTES_MAX = 64 * 2 ** 20;

const number = z.union([z.number(), z.string()]);
const reading = z.union([
  z.object({ value: number }),
  z.object({ none: z.enum(['noTraffic', 'noData', 'error']), message: z.string() }),
]);
const health = z.enum(['Up', 'Down', 'NotAsked', 'NotConfigured']);
const suiteOutcome = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('done'),
    total: z.number(),
    passed: z.number(),
    failed: z.number(),
    skipped: z.number(),
    knownFlaky: z.number(),
    newFailures: z.number(),
    failures: z.array(z.string()),
  }),
  z.object({ type: z.literal('failed'), message: z.string() }),
]);

const suiteFields = {
  name: z.string(),
  startedAt: z.string(),
  finishedAt: z.string(),
  outcome: suiteOutcome,
};

const snapshotSchema = z.object({
  type: z.literal('snapshot'),
  index: z.int().positive(),
  dueAt: z.string(),
  at: z.string(),
  phase: z.string(),
  step: z.string().exactOptional(),
  weight: z.number().exactOptional(),
  metrics: z.record(z.string(), reading),
  triggers: z.array(
    z.object({
      name: z.string(),
      severity: z.string(),
      state: z.string(),
      reading: reading.exactOptional(),
    }),
  ),
  suites: z.array(z.object(suiteFields)),
  alerts: z
    .array(z.object({ name: z.string(), severity: z.string().exactOptional(), count: number }))
    .exactOptional(),
  health: z.object({ prometheus: health, alertmanager: health, grafana: health }),
});

const eventSchema = z.object({
  type: z.literal('event'),
  at: z.string(),
  kind: z.enum(['Normal', 'Warning']),
  reason: z.string(),
  note: z.string(),
});

const suiteSchema = z.object({ type: z.literal('suite'), ...suiteFields });

const lineSchema = z.discriminatedUnion('type', [snapshotSchema, eventSchema, suiteSchema]);

/** A segment as it is kept. */
export interface Page {
  readonly lines: readonly EvidenceLine[];
  /** What another version wrote and this one cannot read: the text of each, written back whenever something is added. */
  readonly unread: readonly string[];
}

export const emptyPage: Page = { lines: [], unread: [] };

/** How pages become bytes and pages again. */
export interface LineCodec {
  readonly encode: (page: Page) => Promise<Buffer>;
  /** Rejects when the bytes are none of its own. */
  readonly decode: (bytes: Buffer) => Promise<Page>;
}

export const gzipCodec: LineCodec = {
  encode: (page) => compress(textOf(page)),
  decode: async (bytes) => {
    const text = await decompress(bytes, { maxOutputLength: TEXT_BYTES_MAX });
    return pageOf(text.toString('utf8'));
  },
};

export function textOf({ lines, unread }: Page): string {
  const texts = [...unread, ...lines.map((line) => JSON.stringify(line))];
  return texts.map((text) => `${text}\n`).join('');
}

export function pageOf(text: string): Page {
  const lines: EvidenceLine[] = [];
  const unread: string[] = [];
  for (const one of text.split('\n')) {
    const line = parseLine(one);
    if (line !== undefined) lines.push(line);
    else if (one !== '') unread.push(one);
  }
  return { lines, unread };
}

function parseLine(text: string): EvidenceLine | undefined {
  try {
    return lineSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

export function indicesOf(lines: readonly EvidenceLine[]): IndexRanges {
  return lines.reduce(
    (known, line) => (line.type === 'snapshot' ? withIndex(known, line.index) : known),
    noIndices,
  );
}

/** What of `lines` is not there yet: a snapshot by its index, a suite's run by its start, an event by all it says. */
export function newLines(
  known: readonly EvidenceLine[],
  lines: readonly EvidenceLine[],
): EvidenceLine[] {
  const seen = new Set(known.map(identity));
  return lines.filter((line) => {
    const id = identity(line);
    const isNew = !seen.has(id);
    seen.add(id);
    return isNew;
  });
}

function identity(line: EvidenceLine): string {
  switch (line.type) {
    case 'snapshot':
      return `snapshot ${line.index}`;
    case 'suite':
      return `suite ${line.startedAt} ${line.name}`;
    case 'event':
      return `event ${line.at} ${line.reason} ${line.note}`;
    default:
      return assertNever(line);
  }
}
