/**
 * A feature flag in a ConfigMap: the same weight as a percentage in plain text, or as a `fractional`
 * in a flagd document. There is nothing to accept it, and at 0 nothing is left to isolate.
 */

import { z } from 'zod';
import type { JsonPatchOperation, KubeObject } from '#ports/cluster.ts';
import type { RouteProblem, RouteReading, RouteTarget } from '#ports/traffic-router.ts';
import { findFlag, parseFlags } from './flag-document.ts';
import { type FlagText, flagdText, percentText } from './flag-text.ts';
import { escapeToken, rollbackMark, rolledBackRunOf } from './marks.ts';
import { isOwned, lastWriter } from './ownership.ts';
import { routeReasons } from './reasons.ts';
import type { Splitter } from './router.ts';
import { guardedPatchOf, patchOf, type Refusal } from './writing.ts';

type ReadFlag = (object: KubeObject, place: Place, target: RouteTarget) => FlagText | Refusal;

const configMap = z.object({
  data: z.record(z.string(), z.string()).nullish(),
  immutable: z.boolean().nullish(),
});

/** Where the flag stands in the ConfigMap. `text` is undefined where the key is not there. */
interface Place {
  readonly path: string;
  readonly key: string;
  readonly hasData: boolean;
  readonly text: string | undefined;
  readonly isImmutable: boolean;
}

export function createFeatureFlagSplitter(): Splitter {
  const read = flagReader();
  const reading = (object: KubeObject, target: RouteTarget) => readFlag(object, target, read);
  const moves = (object: KubeObject, target: RouteTarget, weight: number) =>
    moveText(object, target, { weight, read });
  return {
    reading,
    weights(object, target, { weight, rollbackOf }) {
      const operations = moves(object, target, weight);
      if ('type' in operations) return operations;
      const now = reading(object, target);
      const problem = now.type === 'read' ? now.problems.find((one) => one.blocking) : undefined;
      if (weight > 0 && problem !== undefined) {
        return { type: 'refused', reason: problem.reason, message: problem.message };
      }
      const goal = { rollbackOf, isMoving: operations.length > 0 };
      const all = [...operations, ...rollbackMark(object, markOf(target), goal)];
      return weight === 0 ? patchOf(all) : guardedPatchOf(object, all);
    },
    isolation(object, target) {
      const operations = moves(object, target, 0);
      return 'type' in operations ? operations : patchOf(operations);
    },
    rejoining: () => ({ type: 'stands' }),
    declaration(object, target, declared) {
      const operations = moves(object, target, declared);
      const texts = 'type' in operations ? [] : operations;
      const goal = { rollbackOf: undefined, isMoving: true };
      return guardedPatchOf(object, [...texts, ...rollbackMark(object, markOf(target), goal)]);
    },
  };
}

function readFlag(object: KubeObject, target: RouteTarget, read: ReadFlag): RouteReading {
  const place = placeOf(object, target);
  if ('type' in place) return place;
  const flag = read(object, place, target);
  if ('type' in flag) return withName(object, place, flag);
  return {
    type: 'read',
    weight: flag.weight,
    uniform: flag.uniform,
    settled: true,
    writtenBy: lastWriter(object, ['f:data', `f:${place.key}`]),
    owned: isOwned(object),
    rolledBackRun: rolledBackRunOf(object, markOf(target)),
    isolated: false,
    resourceVersion: object.metadata.resourceVersion ?? '',
    problems: [...flag.problems, ...(place.isImmutable ? [immutable] : [])],
  };
}

const immutable: RouteProblem = {
  reason: routeReasons.immutable,
  message: 'the ConfigMap is immutable: its flag cannot be moved',
  blocking: true,
};

/** The operations that move the text, none where it stands. A percentage that cannot be read can be lowered all the same. */
function moveText(
  object: KubeObject,
  target: RouteTarget,
  { weight, read }: { readonly weight: number; readonly read: ReadFlag },
): readonly JsonPatchOperation[] | Refusal {
  const place = placeOf(object, target);
  if ('type' in place) return place;
  const flag = read(object, place, target);
  if ('type' in flag) {
    const isOverwritable = weight === 0 && target.flag?.format === 'Percent';
    return isOverwritable ? replaceText(place, '0') : withName(object, place, flag);
  }
  const text = flag.textFor(weight);
  return text === undefined ? [] : replaceText(place, text);
}

/** Each guarded by a test on what stood there; a test for null is true of an absent member. */
function replaceText({ path, key, hasData, text }: Place, value: string): JsonPatchOperation[] {
  if (!hasData) {
    return [
      { op: 'test', path: '/data', value: null },
      { op: 'add', path: '/data', value: { [key]: value } },
    ];
  }
  return [
    { op: 'test', path, value: text ?? null },
    { op: 'add', path, value },
  ];
}

function placeOf(object: KubeObject, { flag }: RouteTarget): Place | Refusal {
  const name = `ConfigMap ${object.metadata.namespace}/${object.metadata.name}`;
  if (flag === undefined) {
    const message = `${name} needs traffic.featureFlag.key and format`;
    return { type: 'refused', reason: routeReasons.invalidTarget, message };
  }
  const parsed = configMap.safeParse(object);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const message = `${name}: ${issue?.path.join('.')}: ${issue?.message}`;
    return { type: 'refused', reason: routeReasons.malformed, message };
  }
  return {
    path: `/data/${escapeToken(flag.key)}`,
    key: flag.key,
    hasData: parsed.data.data !== undefined && parsed.data.data !== null,
    text: parsed.data.data?.[flag.key],
    isImmutable: parsed.data.immutable === true,
  };
}

/**
 * Parsing a flagd document takes about 1 ms a KB, and many rollouts may read flags of one document at
 * every look: each version of the object is parsed once.
 */
function flagReader(): ReadFlag {
  const documents = new WeakMap<KubeObject, Map<string, ReturnType<typeof parseFlags>>>();
  return (object, { text, key }, { flag }) => {
    if (text === undefined) {
      const message = 'is not there; write it with the share that holds before the first step';
      return { type: 'refused', reason: routeReasons.noSuchFlag, message };
    }
    if (flag?.format === 'Percent') return percentText(text);
    if (flag?.flag === undefined) {
      const message = 'is a flagd document: traffic.featureFlag.flag must name the flag in it';
      return { type: 'refused', reason: routeReasons.invalidTarget, message };
    }
    const ofObject = documents.get(object) ?? new Map<string, ReturnType<typeof parseFlags>>();
    const isJson = key.endsWith('.json') || text.trimStart().startsWith('{');
    const document = ofObject.get(key) ?? parseFlags(text, isJson);
    documents.set(object, ofObject.set(key, document));
    if ('type' in document) return document;
    const found = findFlag(document, flag.flag);
    return found.type === 'refused' ? found : flagdText(text, flag.flag, found);
  };
}

function markOf({ flag }: RouteTarget): string {
  return flag?.flag === undefined ? `${flag?.key}` : `${flag.key}/${flag.flag}`;
}

function withName(object: KubeObject, { key }: Place, refusal: Refusal): Refusal {
  const { namespace, name } = object.metadata;
  return { ...refusal, message: `ConfigMap ${namespace}/${name} data.${key} ${refusal.message}` };
}
