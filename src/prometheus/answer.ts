/**
 * From an HTTP answer to samples or series. Checked by hand rather than with zod, because this is the hot path (see
 * docs/performance.md): nothing is believed that has not been looked at.
 */
import type { Sample, Series } from '#ports/metric-source.ts';
import type { HttpAnswer } from '#transport/exchange.ts';
import { excerpt } from '#transport/failures.ts';
import { apiFault, type Fault, fault, httpFault } from './faults.ts';

export type Parsed<Part> =
  | { readonly type: 'parts'; readonly parts: readonly Part[] }
  | (Fault & { readonly type: 'fault' });

type Labels = Readonly<Record<string, string>>;

export function parseInstant(answer: HttpAnswer): Parsed<Sample> {
  const data = parseData(answer);
  if (data.type === 'fault') return data;
  if (data.resultType === 'scalar') {
    const point = parsePoint(data.result);
    return point ? parts([{ labels: {}, ...point }]) : unreadable(answer);
  }
  if (data.resultType !== 'vector') return wrongKind(data.resultType, 'one value per series');
  return parseAll(answer, data.result, (entry) => {
    if ('histogram' in entry && !('value' in entry)) return 'histogram';
    const point = parsePoint(entry['value']);
    return point && isLabels(entry['metric']) ? { labels: entry['metric'], ...point } : undefined;
  });
}

export function parseRange(answer: HttpAnswer): Parsed<Series> {
  const data = parseData(answer);
  if (data.type === 'fault') return data;
  if (data.resultType !== 'matrix') return wrongKind(data.resultType, 'series over time');
  return parseAll(answer, data.result, (entry) => {
    if ('histograms' in entry) return 'histogram';
    const points = parsePoints(entry['values']);
    return points && isLabels(entry['metric']) ? { labels: entry['metric'], points } : undefined;
  });
}

interface Data {
  readonly type: 'data';
  readonly resultType: string;
  readonly result: unknown;
}

function parseData(answer: HttpAnswer): Data | (Fault & { readonly type: 'fault' }) {
  const envelope = parseEnvelope(answer);
  if (envelope.type === 'fault') return envelope;
  const { data } = envelope;
  if (!isRecord(data) || typeof data['resultType'] !== 'string') return unreadable(answer);
  return { type: 'data', resultType: data['resultType'], result: data['result'] };
}

/** What stands in `data`, when all of it is there. */
export function parseEnvelope(
  answer: HttpAnswer,
): { readonly type: 'envelope'; readonly data: unknown } | (Fault & { readonly type: 'fault' }) {
  const body = parseJson(answer.text);
  if (!isRecord(body) || (body['status'] !== 'success' && body['status'] !== 'error')) {
    const isForeign = body !== undefined && answer.status === 200;
    return isForeign ? unreadable(answer) : { type: 'fault', ...httpFault(answer) };
  }
  // Data may stand beside an error; it is not to be believed.
  if (body['status'] === 'error' || answer.status !== 200) {
    const { errorType, error } = { errorType: text(body['errorType']), error: text(body['error']) };
    return { type: 'fault', ...apiFault(answer.status, errorType || 'error', error) };
  }
  const missing = partialWords(body);
  if (missing !== undefined) return { type: 'fault', ...fault('partial', missing) };
  return { type: 'envelope', data: body['data'] };
}

/**
 * Why the answer is not the whole truth, or undefined. VictoriaMetrics says `isPartial`. Thanos and remote read use
 * `warnings`, where PromQL's own annotations stand as well: those say that the query is odd, not that data
 * is missing (thanos-io/thanos#7354). A warning that is not known to be one of them counts as missing data.
 */
function partialWords(body: Readonly<Record<string, unknown>>): string | undefined {
  if (body['isPartial'] === true)
    return 'answered only in part: some of its storage did not answer';
  const { warnings } = body;
  if (!Array.isArray(warnings)) return undefined;
  const missing = warnings.map(text).filter((warning) => !/^PromQL (warning|info)\b/.test(warning));
  const [one] = missing;
  return one === undefined ? undefined : `answered only in part: ${excerpt(one)}`;
}

function parseAll<Part extends object>(
  answer: HttpAnswer,
  result: unknown,
  parse: (entry: Readonly<Record<string, unknown>>) => Part | 'histogram' | undefined,
): Parsed<Part> {
  if (!Array.isArray(result)) return unreadable(answer);
  const all: Part[] = [];
  for (const entry of result as readonly unknown[]) {
    const part = isRecord(entry) ? parse(entry) : undefined;
    if (part === undefined) return unreadable(answer);
    if (part === 'histogram') return histogram();
    all.push(part);
  }
  return parts(all);
}

function parsePoints(values: unknown): Series['points'] | undefined {
  if (!Array.isArray(values)) return undefined;
  const points: { atMs: number; value: number }[] = [];
  for (const pair of values as readonly unknown[]) {
    const point = parsePoint(pair);
    if (!point) return undefined;
    points.push(point);
  }
  return points;
}

/** `[seconds, "value"]` */
function parsePoint(pair: unknown): { atMs: number; value: number } | undefined {
  if (!Array.isArray(pair) || pair.length !== 2) return undefined;
  const [seconds, written] = pair as readonly unknown[];
  if (typeof seconds !== 'number' || typeof written !== 'string') return undefined;
  const value = parseValue(written);
  return value === undefined ? undefined : { atMs: Math.round(seconds * 1000), value };
}

/** Go's notation of a float; undefined when it is none. */
function parseValue(written: string): number | undefined {
  switch (written) {
    case 'NaN':
      return Number.NaN;
    case '+Inf':
    case 'Inf':
      return Number.POSITIVE_INFINITY;
    case '-Inf':
      return Number.NEGATIVE_INFINITY;
    default: {
      const value = Number(written);
      return Number.isNaN(value) || written.trim() === '' ? undefined : value;
    }
  }
}

function parseJson(written: string): unknown {
  try {
    return JSON.parse(written);
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isLabels(value: unknown): value is Labels {
  if (!isRecord(value)) return false;
  for (const name in value) if (typeof value[name] !== 'string') return false;
  return true;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function parts<Part>(all: readonly Part[]): Parsed<Part> {
  return { type: 'parts', parts: all };
}

function unreadable(answer: HttpAnswer): Fault & { readonly type: 'fault' } {
  return {
    type: 'fault',
    ...fault(
      'refused',
      `answered ${answer.status} with JSON that is not Prometheus': ${excerpt(answer.text)}`,
    ),
  };
}

function histogram(): Fault & { readonly type: 'fault' } {
  const words =
    'answered with a native histogram, which is no number; use histogram_quantile(), histogram_avg() or histogram_count()';
  return { type: 'fault', ...fault('badQuery', words) };
}

function wrongKind(resultType: string, wanted: string): Fault & { readonly type: 'fault' } {
  const kinds: Readonly<Record<string, string>> = {
    matrix: 'a range of values; wrap it in a function such as rate() or last_over_time()',
    string: 'a string',
  };
  const words = `answered with ${kinds[resultType] ?? JSON.stringify(resultType.slice(0, 40))}; ${wanted} is needed`;
  return { type: 'fault', ...fault('badQuery', words) };
}
