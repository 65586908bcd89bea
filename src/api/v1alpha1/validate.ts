/**
 * Everything that can be said about a spec without looking at the cluster. The API server has said most of it
 * at admission; this says it again with the names of list elements, and for objects that an older CRD let in.
 */
import type { z } from 'zod';
import { decisionSpecSchema } from './decision.ts';
import { issueText } from './issue-text.ts';
import { problem, type SpecProblem } from './problem.ts';
import { rolloutSpecSchema } from './rollout.ts';
import type { PathPart } from './twin.ts';

export type { SpecProblem } from './problem.ts';

/** Empty when there is nothing to say. Never throws, whatever it is given. */
export function validateSpec(spec: unknown): readonly SpecProblem[] {
  return problemsOf(rolloutSpecSchema, { spec }, ['spec']);
}

/** The same for a GenesisDecision. */
export function validateDecisionSpec(spec: unknown): readonly SpecProblem[] {
  return problemsOf(decisionSpecSchema, { spec }, ['spec']);
}

/** What is wrong with the part of `root` that `path` leads to. */
export function problemsOf(
  schema: z.ZodType,
  root: object,
  path: readonly PathPart[],
): readonly SpecProblem[] {
  const { error } = schema.safeParse(valueAt(root, path));
  return error === undefined ? [] : problemsIn(root, path, error);
}

export function problemsIn(
  root: unknown,
  path: readonly PathPart[],
  error: z.ZodError,
): readonly SpecProblem[] {
  return error.issues.map((issue) => {
    const inner = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part));
    const full = [...path, ...inner];
    const value = valueAt(root, full);
    const rule: unknown = issue.code === 'custom' ? issue.params?.['rule'] : undefined;
    return problem(root, full, {
      message: issueText(issue, value),
      value,
      rule: typeof rule === 'string' ? rule : 'schema',
    });
  });
}

function valueAt(root: unknown, path: readonly PathPart[]): unknown {
  return path.reduce<unknown>(
    (at, part) => (typeof at === 'object' && at !== null ? Reflect.get(at, part) : undefined),
    root,
  );
}
