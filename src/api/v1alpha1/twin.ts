/**
 * A rule about more than one field exists twice: as CEL, which the API server runs at admission, and as
 * TypeScript, which the operator runs again with the names of list elements in its sentences. Both halves
 * stand side by side as a twin, so that neither can be changed without seeing the other; `withTwins`
 * attaches both to a schema.
 */
import type { z } from 'zod';
import { durationPattern } from './duration.ts';

/** One entry of x-kubernetes-validations. */
export interface CelRule {
  readonly rule: string;
  /** Said when `messageExpression` is absent or fails. */
  readonly message: string;
  readonly messageExpression?: string;
  readonly fieldPath?: string;
}

export type PathPart = string | number;

/** What is wrong, below the place the rule stands at. `path` is relative: `['steps', 2, 'weight']`. */
export interface Finding {
  readonly path: readonly PathPart[];
  readonly message: string;
}

export interface Twin<T> {
  readonly name: string;
  readonly cel: CelRule;
  /** May rely on every field having its own form: it is not called otherwise. */
  readonly check: (value: T) => readonly Finding[];
}

/** Types the twins of one place, so that `check` knows what it gets. */
export function twins<T>(...rules: readonly Twin<T>[]): readonly Twin<T>[] {
  return rules;
}

export function withTwins<S extends z.ZodType>(schema: S, rules: readonly Twin<z.output<S>>[]): S {
  const withBoth = withCheck(schema, (value) =>
    rules.flatMap((rule) => rule.check(value).map((finding) => ({ ...finding, rule: rule.name }))),
  );
  return withCel(withBoth, ...rules.map((rule) => rule.cel));
}

/** CEL alone: for rules that need what only the API server has, such as the object before. */
export function withCel<S extends z.ZodType>(schema: S, ...rules: readonly CelRule[]): S {
  const before = schema.meta()?.['x-kubernetes-validations'];
  return schema.meta({
    ...schema.meta(),
    'x-kubernetes-validations': [...(Array.isArray(before) ? before : []), ...rules],
  });
}

/** TypeScript alone: for rules whose other half is not CEL (list types), or that CEL cannot say. */
export function withCheck<S extends z.ZodType>(
  schema: S,
  check: (value: z.output<S>) => readonly (Finding & { readonly rule: string })[],
): S {
  return schema.superRefine((value, context) => {
    // A field without its own form would only make the rules about several fields stumble.
    if (context.issues.some((issue) => issue.code !== 'custom')) return;
    for (const { path, message, rule } of check(value)) {
      context.addIssue({ code: 'custom', path: [...path], message, params: { rule } });
    }
  });
}

/** Deeply readonly: what a schema's output is everywhere outside the schema. */
export type Plain<T> = T extends readonly (infer Item)[]
  ? readonly Plain<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: Plain<T[Key]> }
    : T;

/**
 * CEL: whether a field is a duration. Rules that compute with one ask first, since they run beside the check of
 * the pattern, and would bury its sentence under a type conversion error.
 */
export function celIsDuration(field: string): string {
  return `${field}.matches(${celString(durationPattern.source)})`;
}

/** A CEL string literal. */
export function celString(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

/** A CEL list of string literals. */
export function celList(texts: readonly string[]): string {
  return `[${texts.map(celString).join(', ')}]`;
}
