/** Rules that CEL cannot say, or not within its budget: the operator alone finds these. */
import { usedPlaceholders } from './placeholders.ts';
import type { RolloutSpec } from './spec.ts';
import type { Finding, PathPart } from './twin.ts';

export interface OperatorRule {
  readonly name: string;
  /** What is said, without the figures. */
  readonly message: string;
  readonly check: (spec: RolloutSpec) => readonly Finding[];
}

export const operatorRules: readonly OperatorRule[] = [
  {
    name: 'time-zone-known',
    message: 'timeZone must be a name of the IANA time zone database',
    check: ({ schedule }) =>
      (schedule?.freeze ?? []).flatMap((freeze, index): readonly Finding[] => {
        if (isTimeZone(freeze.timeZone)) return [];
        const message = `${JSON.stringify(freeze.timeZone)} is not a time zone of the IANA database, such as Europe/Berlin or UTC`;
        return [{ path: ['schedule', 'freeze', index, 'timeZone'], message }];
      }),
  },
  {
    name: 'known-flaky-is-pattern',
    message: 'every entry of knownFlaky must be a regular expression',
    check: ({ healthSuites }) =>
      healthSuites.flatMap((suite, index) =>
        suite.knownFlaky.flatMap((pattern, at): readonly Finding[] => {
          const wrong = patternProblem(pattern);
          if (wrong === undefined) return [];
          const path = ['healthSuites', index, 'knownFlaky', at];
          return [
            { path, message: `${JSON.stringify(pattern)} is not a regular expression: ${wrong}` },
          ];
        }),
      ),
  },
  {
    name: 'service-placeholders-need-services',
    message:
      '$(arm.service), $(stable.service) and $(canary.service) need traffic.stable and traffic.canary, or workload',
    check: (spec) => {
      const { workload, traffic } = spec;
      if (workload !== undefined || (traffic.stable !== undefined && traffic.canary !== undefined))
        return [];
      return templates(spec).flatMap(({ path, text }): readonly Finding[] => {
        const used = usedPlaceholders(text).find((name) => name.endsWith('.service'));
        if (used === undefined) return [];
        return [
          {
            path,
            message: `$(${used}) needs traffic.stable and traffic.canary, or workload; neither is set`,
          },
        ];
      });
    },
  },
];

interface Template {
  readonly path: readonly PathPart[];
  readonly text: string;
}

interface Measuring {
  readonly query?: string | undefined;
  readonly ratio?: { readonly bad: string; readonly total: string } | undefined;
}

/** Every query of a spec, and where it stands. */
function templates(spec: RolloutSpec): readonly Template[] {
  const places: readonly (readonly [readonly PathPart[], readonly Measuring[]])[] = [
    [['analysis', 'metrics'], spec.analysis.metrics],
    [['triggers'], spec.triggers],
    [['success', 'criteria'], spec.success.criteria],
    [['rollback', 'baseline'], spec.rollback.baseline],
  ];
  return places.flatMap(([path, items]) =>
    items.flatMap(({ query, ratio }, index) => [
      ...(query === undefined ? [] : [{ path: [...path, index, 'query'], text: query }]),
      ...(ratio === undefined
        ? []
        : [
            { path: [...path, index, 'ratio', 'bad'], text: ratio.bad },
            { path: [...path, index, 'ratio', 'total'], text: ratio.total },
          ]),
    ]),
  );
}

function isTimeZone(name: string): boolean {
  if (name === 'UTC') return true;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

function patternProblem(pattern: string): string | undefined {
  try {
    return new RegExp(pattern, 'u').source === '' ? 'it is empty' : undefined;
  } catch (error) {
    return error instanceof Error
      ? error.message.replace(/^Invalid regular expression: /, '')
      : String(error);
  }
}
