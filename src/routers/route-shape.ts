/**
 * What this package reads of an HTTPRoute or a GRPCRoute. Both have the same skeleton; every field
 * that is not named here passes through untouched.
 */

import { z } from 'zod';
import type { KubeObject } from '#ports/cluster.ts';

const backendRef = z.looseObject({
  group: z.string().optional(),
  kind: z.string().optional(),
  name: z.string(),
  namespace: z.string().optional(),
  weight: z.number().int().min(0).optional(),
});

const rule = z.looseObject({
  backendRefs: z.array(backendRef).nullish(),
  sessionPersistence: z.unknown().optional(),
});

const parentRef = z.object({
  group: z.string().optional(),
  kind: z.string().optional(),
  namespace: z.string().optional(),
  name: z.string(),
  sectionName: z.string().optional(),
  port: z.number().optional(),
});

const condition = z.object({
  type: z.string(),
  status: z.string(),
  reason: z.string().optional(),
  message: z.string().optional(),
  observedGeneration: z.number().optional(),
});

const parentStatus = z.object({ parentRef, conditions: z.array(condition).nullish() });

const route = z.object({
  spec: z.object({
    parentRefs: z.array(parentRef).nullish(),
    rules: z.array(rule).nullish(),
  }),
  status: z.object({ parents: z.array(parentStatus).nullish() }).nullish(),
});

export type BackendRef = z.infer<typeof backendRef>;
export type RouteRule = z.infer<typeof rule>;
export type ParentRef = z.infer<typeof parentRef>;
export type ParentStatus = z.infer<typeof parentStatus>;

export interface RouteShape {
  readonly namespace: string;
  readonly generation: number;
  readonly parentRefs: readonly ParentRef[];
  readonly rules: readonly RouteRule[];
  readonly parents: readonly ParentStatus[];
}

/** The parts of a route that matter here, or a sentence that says why it cannot be read. */
export function parseRoute(object: KubeObject): RouteShape | string {
  const parsed = route.safeParse(object);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    return `${issue?.path.join('.') ?? 'spec'}: ${issue?.message ?? 'unreadable'}`;
  }
  return {
    namespace: object.metadata.namespace ?? '',
    generation: object.metadata.generation ?? 0,
    parentRefs: parsed.data.spec.parentRefs ?? [],
    rules: parsed.data.spec.rules ?? [],
    parents: parsed.data.status?.parents ?? [],
  };
}
