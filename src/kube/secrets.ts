/** Secrets, read by name when needed: the operator may `get` Secrets, and not list them. */
import type { Cluster, Resource } from '#ports/cluster.ts';
import { isRecord } from './resource.ts';

/** All entries of one Secret, decoded; undefined when there is no such Secret. Rejects with ClusterError. */
export type SecretReader = (name: string) => Promise<Readonly<Record<string, string>> | undefined>;

export const secrets: Resource = {
  group: '',
  version: 'v1',
  kind: 'Secret',
  plural: 'secrets',
  namespaced: true,
};

/** Reads in one namespace. Nothing is kept: whoever asks knows how long the answer is good for. */
export function secretReader(
  cluster: Pick<Cluster, 'get'>,
  namespace: string,
  signal: AbortSignal,
): SecretReader {
  return async (name) => {
    const secret = await cluster.get(secrets, { namespace, name }, signal);
    if (secret === undefined) return undefined;
    const data = isRecord(secret['data']) ? secret['data'] : {};
    const entries = Object.entries(data).flatMap(([key, value]) =>
      typeof value === 'string' ? [[key, Buffer.from(value, 'base64').toString('utf8')]] : [],
    );
    return Object.fromEntries(entries);
  };
}
