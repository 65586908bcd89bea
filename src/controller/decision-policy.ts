/**
 * Is the ValidatingAdmissionPolicy for decisions in force? It is asked for when an approval matters, not watched: an
 * operator without the right to read policies works all the same, and no approval counts.
 */
import { policyBindingResource, policyResource } from '#api/admission-policy.ts';
import { decisionPolicy, decisionPolicyBinding, decisionPolicyName } from '#api/decision-policy.ts';
import type { DecisionPolicy } from '#core/snapshot.ts';
import type { Clock } from '#ports/clock.ts';
import { type Cluster, ClusterError, type KubeObject, type Resource } from '#ports/cluster.ts';
import { withDeadline } from '#runtime/deadline.ts';

/** What is known of it is good for so long where nothing has been approved just now. */
const KEPT_MS = 30_000;
/** An approval waits for an answer of now. */
const FRESH_MS = 1_000;
/** A look at a rollout must not wait for long. */
const ASKING_MAX_MS = 1_000;

export class DecisionPolicyReader {
  readonly #cluster: Cluster;
  readonly #clock: Clock;
  #known: { readonly atMs: number; readonly policy: DecisionPolicy } | undefined;
  #asking: Promise<DecisionPolicy> | undefined;

  constructor(cluster: Cluster, clock: Clock) {
    this.#cluster = cluster;
    this.#clock = clock;
  }

  /** @param isPressing an approval is to be judged now. Never rejects. */
  async read(isPressing: boolean, signal: AbortSignal): Promise<DecisionPolicy> {
    const known = this.#known;
    const isGood = known?.policy.type === 'enforced' && !isPressing;
    const ageMs = this.#clock.monotonic() - (known?.atMs ?? Number.NEGATIVE_INFINITY);
    if (known !== undefined && ageMs < (isGood ? KEPT_MS : FRESH_MS)) return known.policy;
    this.#asking ??= this.#ask(signal).finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async #ask(signal: AbortSignal): Promise<DecisionPolicy> {
    const policy = await withDeadline(this.#clock, ASKING_MAX_MS, [signal], async (inTime) => {
      const key = { namespace: '', name: decisionPolicyName };
      const [found, binding] = await Promise.all([
        this.#cluster.get(policyResource, key, inTime),
        this.#cluster.get(policyBindingResource, key, inTime),
      ]);
      return judge(found, binding);
    }).catch((error: unknown): DecisionPolicy => notEnforced(unreadable(error)));
    this.#known = { atMs: this.#clock.monotonic(), policy };
    return policy;
  }
}

function unreadable(error: unknown): string {
  const why = error instanceof ClusterError || error instanceof Error ? error.message : 'unknown';
  return `whether ${policyResource.kind} ${decisionPolicyName} is there cannot be read: ${why}`;
}

function judge(policy: KubeObject | undefined, binding: KubeObject | undefined): DecisionPolicy {
  if (policy === undefined) return missing(policyResource);
  if (binding === undefined) return missing(policyBindingResource);
  const changed = [
    ...differences(policyResource.kind, decisionPolicy.spec, policy['spec'], ['matchConstraints']),
    // Selectors of a binding would leave namespaces out.
    ...differences(policyBindingResource.kind, decisionPolicyBinding.spec, binding['spec'], []),
  ];
  if (changed.length > 0) {
    return notEnforced(`${changed.join(', ')} of ${decisionPolicyName} is not as it was installed`);
  }
  const sinceMs = Math.max(createdAtMs(policy), createdAtMs(binding));
  return { type: 'enforced', sinceMs };
}

/** Ours must stand there as it is; in `open` fields the server adds defaults. Anything beyond is a difference too. */
function differences(
  kind: string,
  ours: object,
  found: unknown,
  open: readonly string[],
): string[] {
  if (typeof found !== 'object' || found === null) return [`${kind} spec`];
  const fields = new Set([...Object.keys(ours), ...Object.keys(found)]);
  return [...fields].flatMap((field) => {
    const wanted: unknown = Reflect.get(ours, field);
    const value: unknown = Reflect.get(found, field);
    const isSame = open.includes(field)
      ? covers(wanted, value)
      : covers(wanted, value) && covers(value, wanted);
    return isSame ? [] : [`${kind} spec.${field}`];
  });
}

/** Everything in `part` stands in `whole` alike. */
function covers(part: unknown, whole: unknown): boolean {
  if (typeof part !== 'object' || part === null) return part === whole;
  if (typeof whole !== 'object' || whole === null) return false;
  if (Array.isArray(part) && (!Array.isArray(whole) || part.length !== whole.length)) return false;
  return Object.entries(part).every(([key, value]) => covers(value, Reflect.get(whole, key)));
}

function createdAtMs({ metadata }: KubeObject): number {
  return Date.parse(metadata.creationTimestamp ?? '') || 0;
}

function missing({ kind }: Resource): DecisionPolicy {
  return notEnforced(`${kind} ${decisionPolicyName} is not in the cluster`);
}

function notEnforced(message: string): DecisionPolicy {
  return { type: 'notEnforced', message };
}
