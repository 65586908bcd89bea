/** The single door for our own objects: unknown JSON goes in, a typed object or a list of sentences comes out. */
import type { z } from 'zod';
import { type Decision, decisionSchema } from './decision.ts';
import type { SpecProblem } from './problem.ts';
import { type Rollout, rolloutSchema } from './rollout.ts';
import { problemsIn } from './validate.ts';

interface Invalid {
  readonly type: 'invalid';
  readonly problems: readonly SpecProblem[];
}

export type ParsedRollout = { readonly type: 'ok'; readonly rollout: Rollout } | Invalid;
export type ParsedDecision = { readonly type: 'ok'; readonly decision: Decision } | Invalid;

/** Never throws, whatever it is given. */
export function parseRollout(object: unknown): ParsedRollout {
  const parsed = rolloutSchema.safeParse(object);
  return parsed.success ? { type: 'ok', rollout: parsed.data } : invalid(object, parsed.error);
}

/** Never throws, whatever it is given. */
export function parseDecision(object: unknown): ParsedDecision {
  const parsed = decisionSchema.safeParse(object);
  return parsed.success ? { type: 'ok', decision: parsed.data } : invalid(object, parsed.error);
}

function invalid(object: unknown, error: z.ZodError): Invalid {
  return { type: 'invalid', problems: problemsIn(object, [], error) };
}
