/** Single keys of Secrets, read when needed: the operator may `get` Secrets by name, and not list them. */

import type { Clock } from '#ports/clock.ts';
import type { Cluster, KubeObject, ObjectKey, Resource } from '#ports/cluster.ts';
import { untilAborted } from '#runtime/deadline.ts';
import { isRecord } from './resource.ts';

export interface SecretReader {
  /** The decoded value. Rejects with ClusterError, or with a SecretMissing that says what is missing. */
  read(secret: ObjectKey, key: string, signal: AbortSignal): Promise<string>;
  /** Reads this Secret anew next time: what it said was refused. */
  forget(secret: ObjectKey): void;
}

/** The Secret, or the key in it, does not exist. */
export class SecretMissing extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'SecretMissing';
  }
}

interface Cached {
  readonly secret: Promise<KubeObject | undefined>;
  readonly readAtMs: number;
}

export const secrets: Resource = {
  group: '',
  version: 'v1',
  kind: 'Secret',
  plural: 'secrets',
  namespaced: true,
};

/** A rotated password is used within a minute, and 1,000 rollouts with one password ask once. */
const FRESH_FOR_MS = 60_000;
/** More Secrets than anybody names; the oldest goes. */
const CACHED_MAX = 1_000;

export function createSecretReader(cluster: Pick<Cluster, 'get'>, clock: Clock): SecretReader {
  const cache = new Map<string, Cached>();

  const fetch = ({ namespace, name }: ObjectKey): Cached['secret'] => {
    const id = `${namespace}/${name}`;
    const known = cache.get(id);
    if (known !== undefined && clock.monotonic() - known.readAtMs < FRESH_FOR_MS) {
      return known.secret;
    }
    // Many may wait for one request: none of them ends it, and it has a limit of its own.
    const secret = cluster.get(secrets, { namespace, name }, new AbortController().signal);
    const entry = { secret, readAtMs: clock.monotonic() };
    cache.delete(id);
    cache.set(id, entry);
    for (const oldest of cache.keys()) {
      if (cache.size <= CACHED_MAX) break;
      cache.delete(oldest);
    }
    // A failure is told to whoever waits for it now, and not kept.
    secret.catch(() => {
      if (cache.get(id) === entry) cache.delete(id);
    });
    return secret;
  };

  return {
    read: async (key, field, signal) => {
      const secret = await untilAborted(fetch(key), signal);
      const name = `Secret "${key.namespace}/${key.name}"`;
      if (secret === undefined) throw new SecretMissing(`${name} does not exist`);
      const data = isRecord(secret['data']) ? secret['data'] : {};
      const value = data[field];
      if (typeof value === 'string') return Buffer.from(value, 'base64').toString('utf8');
      const fields = Object.keys(data).sort();
      const words = fields.length === 0 ? 'it is empty' : `it has ${fields.join(', ')}`;
      throw new SecretMissing(`${name} has no key "${field}"; ${words}`);
    },
    forget: ({ namespace, name }) => {
      cache.delete(`${namespace}/${name}`);
    },
  };
}
