/** Who of a run relies on which query, on which arm. What several rely on is one use. */
import { usedPlaceholders } from '#api/placeholders.ts';
import type { Arm } from '#core/fill.ts';
import { queriesIn } from '#core/measure-queries.ts';
import type { Measure, RunSpec } from '#core/run-spec.ts';

export type AskedMeasure = Extract<Measure, { readonly type: 'query' | 'ratio' }>;

export interface Use {
  /** `trigger errors, criterion errors` */
  readonly of: string;
  readonly measure: AskedMeasure;
  readonly arm: Arm;
  /** Only what never acts relies on it. */
  readonly isAdvice: boolean;
}

/** In the order of the spec. Probes and suites are asked of nobody who has a chain. */
export function usesOf(run: RunSpec): readonly Use[] {
  const triggers = run.triggers.map(({ name, severity, measure }) => ({
    of: `trigger ${name}`,
    measure,
    arm: 'canary' as const,
    isAdvice: severity === 'Info',
  }));
  // Stable is what they are compared with. Where that cannot be read they judge by themselves.
  const compared = run.triggers
    .filter((one) => one.compareWithStable !== undefined || one.judge.type === 'Sequential')
    .map(({ name, measure }) => ({
      of: `comparison of trigger ${name} with stable`,
      measure,
      arm: 'stable' as const,
      isAdvice: true,
    }));
  const criteria = run.success.criteria.map(({ name, measure }) => ({
    of: `criterion ${name}`,
    measure,
    arm: 'canary' as const,
    isAdvice: false,
  }));
  const baseline = run.rollback.baseline.map(({ name, measure }) => ({
    of: `baseline criterion ${name}`,
    measure,
    arm: 'stable' as const,
    isAdvice: false,
  }));
  const relied = merged(
    [...triggers, ...compared, ...criteria, ...baseline].flatMap(asksPrometheus),
  );
  const keys = new Set(relied.map(keyOf));
  const recorded = run.metrics
    .map(({ name, measure }) => ({
      of: `metric ${name}`,
      measure,
      arm: 'canary' as const,
      isAdvice: false,
    }))
    .filter((use) => !keys.has(keyOf(use)));
  return [...relied, ...merged(recorded)];
}

function asksPrometheus(use: Omit<Use, 'measure'> & { readonly measure: Measure }): Use[] {
  const { measure } = use;
  return measure.type === 'query' || measure.type === 'ratio' ? [{ ...use, measure }] : [];
}

function merged(uses: readonly Use[]): readonly Use[] {
  const found = new Map<string, Use>();
  for (const use of uses) {
    const key = keyOf(use);
    const before = found.get(key);
    const both = before && {
      ...before,
      of: `${before.of}, ${use.of}`,
      isAdvice: before.isAdvice && use.isAdvice,
    };
    found.set(key, both ?? use);
  }
  return [...found.values()];
}

/** The same text on the same arm; a text without an arm is the same on both. */
function keyOf({ measure, arm }: Use): string {
  const isBound = boundTo(measure, arm);
  return JSON.stringify([textsOf(measure), isBound ? arm : '']);
}

/** Whether the query asks for this arm, by `$(arm.service)` or by its own name. */
export function boundTo(measure: AskedMeasure, arm: Arm): boolean {
  return textsOf(measure).some((text) => {
    const used = usedPlaceholders(text);
    return used.includes('arm.service') || used.includes(`${arm}.service`);
  });
}

function textsOf(measure: AskedMeasure): readonly string[] {
  return [...queriesIn(measure), ...Object.entries(measure.series ?? {}).flat()];
}
