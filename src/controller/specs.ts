/** Specs, resolved and remembered: parsing and inspecting happens once a generation, not once a tick. */
import type { RolloutSpec } from '#api/rollout.ts';
import { rolloutSpecSchema } from '#api/rollout.ts';
import { validateSpec } from '#api/validate.ts';
import { resolveSpec } from '#core/resolve.ts';
import type { QueryFacts } from '#core/resolve-measure.ts';
import type { OutsideChecks } from '#core/resolve-outside.ts';
import { isRecordOf } from '#core/run-id.ts';
import type { ResolvedSpec } from '#core/snapshot.ts';
import type { KubeObject, ObjectKey } from '#ports/cluster.ts';

/** A spec as it stands in an object, and what a run would make of it. */
export interface KnownSpec {
  /** Undefined when it does not even parse. */
  readonly spec: RolloutSpec | undefined;
  readonly resolved: ResolvedSpec;
}

export type InspectQuery = (query: string) => QueryFacts;

export class Specs {
  readonly #inspect: InspectQuery;
  readonly #current = new Map<string, { readonly version: string; readonly known: KnownSpec }>();
  readonly #recorded = new Map<string, { readonly name: string; readonly known: KnownSpec }>();

  readonly #refusal: string | undefined;

  readonly #checks: OutsideChecks;

  /**
   * @param refusal why no run may be started at all; runs under way go on under their records
   * @param checks asked of a spec as it stands, never of a record: a setting of the operator stops no run
   */
  constructor(inspect: InspectQuery, refusal?: string, checks: OutsideChecks = {}) {
    this.#inspect = inspect;
    this.#checks = checks;
    this.#refusal = refusal;
  }

  /** The spec of the object as it is now. */
  current(object: KubeObject, key: ObjectKey): KnownSpec {
    const id = `${key.namespace}/${key.name}`;
    const version = versionOf(object);
    const remembered = this.#current.get(id);
    if (remembered?.version === version) return remembered.known;
    const parsed = this.#parse(object['spec'], key, this.#checks);
    const known: KnownSpec =
      this.#refusal === undefined
        ? parsed
        : {
            ...parsed,
            resolved: { type: 'invalid', reason: 'CrdOutdated', problems: [this.#refusal] },
          };
    this.#current.set(id, { version, known });
    return known;
  }

  /** The spec a run follows, from its record; undefined when the record has not been read yet. */
  recorded(name: string, key: ObjectKey): KnownSpec | undefined {
    const remembered = this.#recorded.get(`${key.namespace}/${key.name}`);
    return remembered?.name === name ? remembered.known : undefined;
  }

  /** The same where the record's name says that the spec as it stands is the one: then it need not be read. */
  standing(name: string, object: KubeObject, key: ObjectKey): KnownSpec | undefined {
    const known = this.current(object, key);
    const { resolved } = known;
    if (resolved.type !== 'ok' || !isRecordOf(name, resolved.run.digest)) return undefined;
    this.#recorded.set(`${key.namespace}/${key.name}`, { name, known });
    return known;
  }

  /** @param object the rollout as it is now */
  remember(name: string, object: KubeObject, key: ObjectKey, spec: unknown): KnownSpec {
    const known = this.#sameAsCurrent(object, key, spec) ?? this.#parse(spec, key, {});
    this.#recorded.set(`${key.namespace}/${key.name}`, { name, known });
    return known;
  }

  forget(key: ObjectKey): void {
    this.#current.delete(`${key.namespace}/${key.name}`);
    this.#recorded.delete(`${key.namespace}/${key.name}`);
  }

  /** As a rule a run follows the spec as it stands: then it is parsed once, and both are one object in memory. */
  #sameAsCurrent(object: KubeObject, key: ObjectKey, spec: unknown): KnownSpec | undefined {
    const current = this.#current.get(`${key.namespace}/${key.name}`);
    if (current?.version !== versionOf(object) || current.known.resolved.type !== 'ok') {
      return undefined;
    }
    const isSame = JSON.stringify(object['spec']) === JSON.stringify(spec);
    return isSame ? current.known : undefined;
  }

  #parse(spec: unknown, { namespace, name }: ObjectKey, checks: OutsideChecks): KnownSpec {
    const parsed = rolloutSpecSchema.safeParse(spec);
    if (!parsed.success) {
      const problems = validateSpec(spec).map((problem) => problem.message);
      return { spec: undefined, resolved: { type: 'invalid', problems } };
    }
    const input = {
      namespace,
      name,
      spec: parsed.data,
      inspect: remembering(this.#inspect),
      ...checks,
    };
    return { spec: parsed.data, resolved: resolveSpec(input) };
  }
}

function versionOf({ metadata }: KubeObject): string {
  return `${metadata.uid} ${metadata.generation}`;
}

/** A query that stands in a spec more than once is parsed once. */
function remembering(inspect: InspectQuery): InspectQuery {
  const known = new Map<string, QueryFacts>();
  return (query) => {
    const facts = known.get(query) ?? inspect(query);
    known.set(query, facts);
    return facts;
  };
}
