/**
 * Which rollouts a changed object concerns, and who of several owns a route. Built from the specs as they
 * are: a rollout that has never run claims nothing it would not also claim when it does.
 */
import type { RolloutSpec } from '#api/rollout.ts';
import type { ObjectKey } from '#ports/cluster.ts';
import { rolloutKey, usedKey } from './keys.ts';

export interface Entry {
  readonly namespace: string;
  readonly name: string;
  readonly createdAtMs: number;
  readonly traffic: RolloutSpec['traffic'];
}

interface Indexed {
  readonly entry: Entry;
  readonly uses: readonly string[];
  readonly claims: readonly string[];
}

export class RolloutIndex {
  readonly #byKey = new Map<string, Indexed>();
  readonly #users = new Map<string, Set<string>>();
  readonly #claimants = new Map<string, Set<string>>();

  /** @returns keys of other rollouts whose claims this change may free or contest */
  set(entry: Entry): readonly string[] {
    const key = rolloutKey(entry);
    const before = this.remove(entry);
    const indexed = { entry, uses: usesOf(entry), claims: claimsOf(entry) };
    this.#byKey.set(key, indexed);
    for (const used of indexed.uses) addTo(this.#users, used, key);
    for (const claim of indexed.claims) addTo(this.#claimants, claim, key);
    return [...new Set([...before, ...this.#rivals(indexed)])];
  }

  remove(entry: ObjectKey): readonly string[] {
    const key = rolloutKey(entry);
    const indexed = this.#byKey.get(key);
    if (indexed === undefined) return [];
    this.#byKey.delete(key);
    for (const used of indexed.uses) removeFrom(this.#users, used, key);
    for (const claim of indexed.claims) removeFrom(this.#claimants, claim, key);
    return this.#rivals(indexed);
  }

  /** Rollouts that use this object. */
  usersOf(kind: string, key: ObjectKey): readonly string[] {
    return [...(this.#users.get(usedKey(kind, key)) ?? [])];
  }

  /** The older rollout that already claims one of this one's routes: the oldest wins, then the name decides. */
  conflictOf(key: ObjectKey): string | undefined {
    const own = this.#byKey.get(rolloutKey(key));
    if (own === undefined) return undefined;
    const older = this.#rivals(own)
      .flatMap((rival) => this.#byKey.get(rival)?.entry ?? [])
      .filter((rival) => isOlder(rival, own.entry))
      .sort((a, b) => (isOlder(a, b) ? -1 : 1));
    return older[0]?.name;
  }

  #rivals(indexed: Indexed): string[] {
    const own = rolloutKey(indexed.entry);
    const keys = indexed.claims.flatMap((claim) => [...(this.#claimants.get(claim) ?? [])]);
    return [...new Set(keys)].filter((key) => key !== own);
  }
}

function isOlder(a: Entry, b: Entry): boolean {
  if (a.createdAtMs !== b.createdAtMs) return a.createdAtMs < b.createdAtMs;
  return a.name < b.name;
}

function usesOf({ namespace, traffic }: Entry): string[] {
  const services = [traffic.stable?.service, traffic.canary?.service].flatMap((service) =>
    service === undefined ? [] : [usedKey('Service', { namespace, name: service })],
  );
  const routes = traffic.routes.map((route) =>
    usedKey(route.kind, { namespace, name: route.name }),
  );
  const flag = traffic.featureFlag;
  const flags =
    flag === undefined ? [] : [usedKey('ConfigMap', { namespace, name: flag.configMap })];
  const restarted = (flag?.restart ?? []).map(({ kind, name }) =>
    usedKey(kind, { namespace, name }),
  );
  return [...services, ...routes, ...flags, ...restarted];
}

/** One rollout per pair of route and Services, and per flag key. Blue and green may change roles. */
function claimsOf({ namespace, traffic }: Entry): string[] {
  const pair = [traffic.stable?.service ?? '', traffic.canary?.service ?? ''].sort().join('+');
  const routes = traffic.routes.map(
    (route) => `${usedKey(route.kind, { namespace, name: route.name })} ${pair}`,
  );
  const flag = traffic.featureFlag;
  if (flag === undefined) return routes;
  const of = usedKey('ConfigMap', { namespace, name: flag.configMap });
  return [...routes, `${of} ${flag.key} ${flag.flag ?? ''}`];
}

function addTo(map: Map<string, Set<string>>, at: string, key: string): void {
  const keys = map.get(at) ?? new Set();
  keys.add(key);
  map.set(at, keys);
}

function removeFrom(map: Map<string, Set<string>>, at: string, key: string): void {
  const keys = map.get(at);
  keys?.delete(key);
  if (keys?.size === 0) map.delete(at);
}
