/**
 * A feature flag in a ConfigMap: the same weight as a percentage in plain text, or as a `fractional`
 * in a flagd document. There is nothing to accept it, and at 0 nothing is left to isolate.
 */

import { z } from 'zod';
import type { JsonPatchOperation, KubeObject } from '#ports/cluster.ts';
import type { RouteProblem, RouteReading, RouteTarget } from '#ports/traffic-router.ts';
import { type FlagDocument, parseFlagDocument, writeShares } from './flag-document.ts';
import {
  annotate,
  annotationOf,
  escapeToken,
  rollbackMark,
  rolledBackAnnotation,
} from './marks.ts';
import { isOwned, lastWriter } from './ownership.ts';
import { routeReasons } from './reasons.ts';
import type { Splitter } from './router.ts';
import { percentOf, stands } from './shares.ts';
import { guardedPatchOf, patchOf, type Refusal } from './writing.ts';

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

/** What the text says, and the text that says another weight; undefined where it says that already. */
interface FlagText {
  readonly weight: number;
  readonly uniform: boolean;
  readonly problems: readonly RouteProblem[];
  readonly textFor: (weight: number) => string | undefined;
}

const PERCENT = /^(\s*)(\d{1,3})(\s*)$/;

export const featureFlagSplitter: Splitter = {
  reading: readFlag,
  weights(object, target, { weight, rollbackOf }) {
    const moves = moveText(object, target, weight);
    if ('type' in moves) return moves;
    const problem = weight > 0 ? blockingProblem(object, target) : undefined;
    if (problem !== undefined) {
      return { type: 'refused', reason: problem.reason, message: problem.message };
    }
    const operations = [...moves, ...rollbackMark(object, rollbackOf, moves.length > 0)];
    return weight === 0 ? patchOf(operations) : guardedPatchOf(object, operations);
  },
  isolation(object, target) {
    const moves = moveText(object, target, 0);
    return 'type' in moves ? moves : patchOf(moves);
  },
  declaration(object, target, declared) {
    const moves = moveText(object, target, declared);
    const texts = 'type' in moves ? [] : moves;
    const marks = annotate(object, { [rolledBackAnnotation]: undefined });
    return guardedPatchOf(object, [...texts, ...marks]);
  },
};

function readFlag(object: KubeObject, target: RouteTarget): RouteReading {
  const place = placeOf(object, target);
  if ('type' in place) return place;
  const flag = parseFlag(place, target);
  if ('type' in flag) return withName(object, place, flag);
  return {
    type: 'read',
    weight: flag.weight,
    uniform: flag.uniform,
    settled: true,
    writtenBy: lastWriter(object, ['f:data', `f:${place.key}`]),
    owned: isOwned(object),
    rolledBackRun: annotationOf(object, rolledBackAnnotation),
    resourceVersion: object.metadata.resourceVersion ?? '',
    problems: [...flag.problems, ...(place.isImmutable ? [immutable] : [])],
  };
}

function blockingProblem(object: KubeObject, target: RouteTarget): RouteProblem | undefined {
  const reading = readFlag(object, target);
  return reading.type === 'read' ? reading.problems.find((one) => one.blocking) : undefined;
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
  weight: number,
): readonly JsonPatchOperation[] | Refusal {
  const place = placeOf(object, target);
  if ('type' in place) return place;
  const flag = parseFlag(place, target);
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

function parseFlag({ text, key }: Place, { flag }: RouteTarget): FlagText | Refusal {
  if (text === undefined) {
    const message = 'is not there; write it with the share that holds before the first step';
    return { type: 'refused', reason: routeReasons.noSuchFlag, message };
  }
  if (flag?.format === 'Percent') return parsePercent(text);
  if (flag?.flag === undefined) {
    const message = 'is a flagd document: traffic.featureFlag.flag must name the flag in it';
    return { type: 'refused', reason: routeReasons.invalidTarget, message };
  }
  const isJson = key.endsWith('.json') || text.trimStart().startsWith('{');
  return parseFlagd(text, flag.flag, isJson);
}

function parsePercent(text: string): FlagText | Refusal {
  const [, before = '', digits, after = ''] = PERCENT.exec(text) ?? [];
  const weight = Number(digits);
  if (digits === undefined || weight > 100) {
    const message = `is ${JSON.stringify(text.slice(0, 40))}; allowed is a whole number from 0 to 100`;
    return { type: 'refused', reason: routeReasons.malformed, message };
  }
  const textFor = (next: number) => (next === weight ? undefined : `${before}${next}${after}`);
  return { weight, uniform: true, problems: [], textFor };
}

function parseFlagd(text: string, flag: string, isJson: boolean): FlagText | Refusal {
  const document = parseFlagDocument(text, flag, isJson);
  if (document.type === 'refused') return document;
  const percents = document.fractionals.map(({ shares }) => percentOf(shares));
  return {
    weight: Math.max(0, ...percents),
    uniform: new Set(percents).size <= 1,
    problems: flagProblems(document, flag),
    textFor(weight) {
      const moving = document.fractionals.filter(({ shares }) => !stands(shares, weight));
      return moving.length === 0 ? undefined : writeShares(text, moving, weight);
    },
  };
}

function flagProblems(document: FlagDocument, flag: string): RouteProblem[] {
  const problems: RouteProblem[] = [];
  const block = (reason: string, message: string) =>
    problems.push({ reason, message: `flag "${flag}" ${message}`, blocking: true });
  if (!document.isEnabled) {
    block(
      routeReasons.flagDisabled,
      'has state DISABLED: flagd ignores it, and every caller gets the default in its own code',
    );
  }
  if (document.fractionals.some(({ shares }) => shares.others > 0)) {
    block(
      routeReasons.thirdVariant,
      'gives a share to a third variant; allowed are canary and stable, others with 0',
    );
  }
  if (document.fractionals.some(({ isUndeclared }) => isUndeclared)) {
    block(
      routeReasons.weightsNotDeclared,
      'gives no variant a number, which means equal shares before the first step',
    );
  }
  return problems;
}

function withName(object: KubeObject, { key }: Place, refusal: Refusal): Refusal {
  const { namespace, name } = object.metadata;
  return { ...refusal, message: `ConfigMap ${namespace}/${name} data.${key} ${refusal.message}` };
}
