/** A bad object: what is wrong with it, and what both the API server and the operator must say about it. */
import type { Patch } from './patch.ts';

export interface BadObject {
  /** A sentence: what is wrong. */
  readonly name: string;
  readonly patch: Patch;
  /** The API server's cause: its field, and every text its message must hold. */
  readonly server: { readonly field: string; readonly says: readonly string[] };
  /** The operator's problem: its path, the rule that found it, and every text its message must hold. */
  readonly operator: {
    readonly path: string;
    readonly rule: string;
    readonly says: readonly string[];
  };
}

/** The schema alone refuses it: one field, whose own form is wrong. */
export function malformed(
  name: string,
  path: string,
  value: unknown,
  says: { readonly server: readonly string[]; readonly operator: readonly string[] },
): BadObject {
  return {
    name,
    patch: { [path]: value },
    server: { field: path, says: says.server },
    operator: { path, rule: 'schema', says: says.operator },
  };
}
