/** The small parts that the schemas are made of: names, URLs, references, lists keyed by name. */
import { z } from 'zod';
import { parseDuration } from './duration.ts';
import { limits } from './limits.ts';
import { celIsDuration, twins, withCheck, withTwins } from './twin.ts';

/** DNS label: names become label values, metric labels and parts of object names. */
export const namePattern = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
/** DNS subdomain, as most Kubernetes objects are named. */
export const objectNamePattern = /^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$/;
/** Five fields; which values they may take the cron parser says. */
export const cronPattern = /^[^ ]+( +[^ ]+){4}$/;
export const urlPattern = /^https?:\/\/[^\s]+$/;

export function name(meaning: string) {
  return z.string().regex(namePattern).min(1).max(limits.nameLengthMax).describe(meaning);
}

/** The name of an object of the cluster that need not be ours. */
export function objectName(meaning: string) {
  return z.string().regex(objectNamePattern).min(1).max(253).describe(meaning);
}

export function text(meaning: string, lengthMax: number = limits.textLengthMax) {
  return z.string().min(1).max(lengthMax).describe(meaning);
}

export function url(meaning: string) {
  return z.string().regex(urlPattern).max(limits.urlLengthMax).describe(meaning);
}

export function port(meaning: string) {
  return z.int().min(1).max(65_535).describe(meaning);
}

export function count(meaning: string, min: number, max: number) {
  return z.int().min(min).max(max).describe(meaning);
}

/** A list whose entries are told apart by `key`: server-side apply merges by it, duplicates are refused. */
export function keyedList<S extends z.ZodType>(
  item: S,
  key: string | readonly string[],
  max: number,
  min = 0,
) {
  const keys = typeof key === 'string' ? [key] : [...key];
  return unique(bounded(item, max, min), keys).meta({
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': keys,
  });
}

/** A list that is one value: whoever applies it owns all of it. */
export function atomicList<S extends z.ZodType>(item: S, max: number, min = 0) {
  return bounded(item, max, min).meta({ 'x-kubernetes-list-type': 'atomic' });
}

/** A list of distinct scalars. */
export function setOf<S extends z.ZodType>(item: S, max: number, min = 0) {
  return unique(bounded(item, max, min), []).meta({ 'x-kubernetes-list-type': 'set' });
}

function bounded<S extends z.ZodType>(item: S, max: number, min: number) {
  return min > 0 ? z.array(item).min(min).max(max) : z.array(item).max(max);
}

export function secretKey(meaning: string) {
  return z
    .object({
      name: objectName('The name of the Secret.'),
      key: text('The key within it.', 253),
    })
    .meta({ description: meaning, 'x-kubernetes-map-type': 'atomic' });
}

/** Part of somebody else's API: kept as it is, checked by whoever it is for. */
export function foreign(meaning: string) {
  return z
    .record(z.string(), z.unknown())
    .meta({ description: meaning, 'x-kubernetes-preserve-unknown-fields': true });
}

export function durationTwins(min: string) {
  return twins<string>({
    name: 'duration-at-least',
    cel: {
      rule: `!${celIsDuration('self')} || duration(self) >= duration('${min}')`,
      message: `must be at least ${min}`,
      messageExpression: `'must be at least ${min}; it is ' + self`,
    },
    check: (text) =>
      parseDuration(text) >= parseDuration(min)
        ? []
        : [{ path: [], message: `must be at least ${min}; it is ${text}` }],
  });
}

/** A duration with a lower bound. */
export function atLeast<S extends z.ZodType<string>>(min: string, schema: S): S {
  return withTwins(schema, durationTwins(min));
}

/** The TypeScript half of the list types `map` and `set`. */
function unique<S extends z.ZodType<unknown[]>>(schema: S, keys: readonly string[]): S {
  return withCheck(schema, (items) => {
    const seenAt = new Map<string, number>();
    return items.flatMap((item, index) => {
      const key = keyOf(item, keys);
      const before = seenAt.get(key);
      seenAt.set(key, before ?? index);
      if (before === undefined) return [];
      const message = `${key} stands there already, at index ${before}; ${keys.join(' and ') || 'entries'} must be unique`;
      return [{ rule: 'unique', path: [index], message }];
    });
  });
}

function keyOf(item: unknown, keys: readonly string[]): string {
  if (typeof item !== 'object' || item === null) return String(item);
  return keys.map((key) => String(Reflect.get(item, key))).join(' ');
}
