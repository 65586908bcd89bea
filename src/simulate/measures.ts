/**
 * Values for people who do not want PromQL: which query texts of a rollout ask for a named metric, trigger or criterion of
 * one arm, so that a scenario can say the value of it and the world can say it for every text.
 */
import { type Condition, holds, parseCondition } from '#api/condition-text.ts';
import { type PlaceholderValues, substitute, usedPlaceholders } from '#api/placeholders.ts';
import type { RolloutSpec } from '#api/rollout.ts';

export type Arm = 'stable' | 'canary';
export type SubjectKind = 'metric' | 'trigger' | 'criterion';

interface Measured {
  readonly query?: string | undefined;
  readonly ratio?: { readonly bad: string; readonly total: string } | undefined;
}

/** One thing of a rollout that has a query or a ratio. */
export interface Subject {
  readonly kind: SubjectKind;
  readonly name: string;
  readonly measure: Measured;
  /** Under it no trigger is in breach and every criterion holds; undefined where there is no such value. */
  readonly healthy: number | undefined;
  readonly isArmBound: boolean;
}

/** What one query text stands for. */
export interface Meaning {
  readonly subject: Subject;
  readonly arm: Arm;
  readonly part: 'value' | 'bad' | 'total';
}

export function subjectsOf(spec: RolloutSpec): readonly Subject[] {
  const criteria = [...(spec.success?.criteria ?? []), ...spec.rollback.baseline];
  const judged = [
    ...spec.triggers.map((one) => ({ ...one, isBreach: true })),
    ...criteria.map((one) => ({ ...one, isBreach: false })),
  ];
  const subjectOf = (kind: SubjectKind, name: string, measure: Measured): Subject => {
    const uses = judged.filter((one) => (kind === 'metric' ? one.metric : one.name) === name);
    return {
      kind,
      name,
      measure,
      healthy: healthyValue(uses),
      isArmBound: textsOf(measure).some(([text]) =>
        usedPlaceholders(text).some((used) => used === 'arm.service' || used === 'canary.service'),
      ),
    };
  };
  const own = (one: Measured) => one.query !== undefined || one.ratio !== undefined;
  return [
    ...spec.analysis.metrics.map((one) => subjectOf('metric', one.name, one)),
    ...spec.triggers.filter(own).map((one) => subjectOf('trigger', one.name, one)),
    ...criteria.filter(own).map((one) => subjectOf('criterion', one.name, one)),
  ];
}

/** Of a few values around the thresholds the first that is no breach and meets every criterion. */
function healthyValue(
  uses: readonly { readonly condition: string; readonly isBreach: boolean }[],
): number | undefined {
  const rules = uses.map(({ condition, isBreach }) => ({
    condition: parseCondition(condition),
    isBreach,
  }));
  const near = rules.flatMap(({ condition: { threshold: t } }) => [
    t * 0.5,
    t * 0.9,
    t * 1.1,
    t * 2,
  ]);
  const isGood = (value: number) =>
    rules.every(({ condition, isBreach }: { condition: Condition; isBreach: boolean }) => {
      return holds(condition, value) !== isBreach;
    });
  return [0, 1, ...near].find(isGood);
}

function textsOf({ query, ratio }: Measured): readonly (readonly [string, Meaning['part']])[] {
  if (ratio !== undefined) {
    return [
      [ratio.bad, 'bad'],
      [ratio.total, 'total'],
    ];
  }
  return query === undefined ? [] : [[query, 'value']];
}

/** Stand for what differs from look to look; no query contains them. */
const WINDOW = '\u0001';
const WEIGHT = '\u0002';

/** What each text asks for. A text that two subjects have in common means the first of them. */
export class Meanings {
  readonly #exact = new Map<string, Meaning>();
  readonly #moving: { readonly pattern: RegExp; readonly meaning: Meaning }[] = [];
  readonly #found = new Map<string, Meaning | undefined>();

  constructor(
    spec: RolloutSpec,
    subjects: readonly Subject[],
    object: { readonly namespace: string; readonly name: string },
  ) {
    for (const subject of subjects) {
      for (const arm of ['canary', 'stable'] as const) {
        const values = placeholdersOf(spec, object, arm);
        for (const [template, part] of textsOf(subject.measure)) {
          this.#add(substitute(template, values), { subject, arm, part });
        }
      }
    }
  }

  of(query: string): Meaning | undefined {
    const exact = this.#exact.get(query);
    if (exact !== undefined || this.#moving.length === 0) return exact;
    if (!this.#found.has(query)) {
      const found = this.#moving.find(({ pattern }) => pattern.test(query));
      this.#found.set(query, found?.meaning);
    }
    return this.#found.get(query);
  }

  #add(text: string, meaning: Meaning): void {
    if (!text.includes(WINDOW) && !text.includes(WEIGHT)) {
      if (!this.#exact.has(text)) this.#exact.set(text, meaning);
      return;
    }
    const source = text
      .replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
      .replaceAll(WINDOW, '[0-9a-z]+')
      .replaceAll(WEIGHT, '[0-9]+');
    this.#moving.push({ pattern: new RegExp(`^${source}$`), meaning });
  }
}

function placeholdersOf(
  spec: RolloutSpec,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  arm: Arm,
): PlaceholderValues {
  const stable = spec.traffic.stable?.service ?? '';
  const canary = spec.traffic.canary?.service ?? '';
  return {
    namespace,
    rollout: name,
    revision: spec.revision ?? '',
    weight: WEIGHT,
    'arm.service': arm === 'canary' ? canary : stable,
    'stable.service': stable,
    'canary.service': canary,
    window: WINDOW,
  };
}
