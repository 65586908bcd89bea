/** One question as it goes over the wire, and the key under which equal ones are the same. */
import type { QueryWindow } from '#ports/metric-source.ts';
import { type Fields, pathOf } from '#transport/server.ts';
import type { Target } from './target.ts';

/** `list`: what the server says of itself, such as its targets. */
export type QuestionKind = 'instant' | 'range' | 'list';

export interface Question {
  readonly kind: QuestionKind;
  readonly target: Target;
  readonly path: string;
  readonly urgent: boolean;
  /** Equal for questions whose answers are interchangeable. */
  readonly key: string;
  readonly fields: Readonly<Record<string, string>>;
}

/**
 * For Thanos: no silent partial answers, replicas merged, no downsampled data. Prometheus, Mimir and VictoriaMetrics ignore
 * form fields they do not know; for a server that refuses them see {@link refusesThanosFields}.
 */
const THANOS_FIELDS = { partial_response: 'false', dedup: 'true', max_source_resolution: '0s' };

/** Lists are asked with GET: not every server takes a POST for them. */
export function listQuestion(target: Target, name: string, fields: Fields): Question {
  return {
    kind: 'list',
    target,
    path: pathOf(target, `/api/v1/${name}`, fields),
    urgent: false,
    key: `${target.id} ${name} ${JSON.stringify(fields)}`,
    fields: {},
  };
}

export function instantQuestion(target: Target, query: string, atMs: number): Question {
  return {
    kind: 'instant',
    target,
    path: target.paths.instant,
    urgent: false,
    key: `${target.id} ${atMs} ${query}`,
    fields: { query, time: seconds(atMs) },
  };
}

export function rangeQuestion(target: Target, query: string, window: QueryWindow): Question {
  const { startMs, endMs, stepMs } = window;
  return {
    kind: 'range',
    target,
    path: target.paths.range,
    urgent: window.urgent === true,
    key: `${target.id} ${startMs} ${endMs} ${stepMs} ${query}`,
    fields: { query, start: seconds(startMs), end: seconds(endMs), step: seconds(stepMs) },
  };
}

/** The body of the POST. The server gives up at `serverTimeoutMs`, before we do, and says so in its own words. */
export function formOf(question: Question, serverTimeoutMs: number, withThanos: boolean): string {
  const fields = { ...question.fields, timeout: seconds(serverTimeoutMs) };
  return new URLSearchParams(withThanos ? { ...fields, ...THANOS_FIELDS } : fields).toString();
}

/** Google's API answers 400 to a field that it does not know, naming it. */
export function refusesThanosFields(status: number, text: string): boolean {
  if (status !== 400 || !/unknown|unrecognized|cannot bind/i.test(text)) return false;
  return Object.keys(THANOS_FIELDS).some((name) => text.includes(name));
}

export function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}
