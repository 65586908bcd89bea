/** Address and credentials of a cluster that somebody else runs, from its kubeconfig. */
import type { RequestOptions } from 'node:https';

import { ApiClient, type ClusterAddress } from './api-client.ts';

/** A client that acts as the current context of a kubeconfig, to be closed by the caller. */
export async function connectTo(kubeconfig: string): Promise<ApiClient> {
  return new ApiClient(await addressOf(kubeconfig));
}

/** Tokens, client certificates and exec plugins, as kubectl would use them for the current context. */
async function addressOf(kubeconfig: string): Promise<ClusterAddress> {
  // Only here: loading client-node takes half a second, and most callers have a cluster of their own.
  const { KubeConfig } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw new Error(`${kubeconfig} has no current context with a cluster`);
  const options: RequestOptions = {};
  await config.applyToHTTPSOptions(options);
  const headers = (options.headers ?? {}) as Record<string, string | undefined>;
  const token = /^Bearer (.+)$/.exec(headers['Authorization'] ?? '')?.[1];
  return {
    url: cluster.server,
    insecure: cluster.skipTLSVerify,
    ...text('ca', options.ca),
    ...text('cert', options.cert),
    ...text('key', options.key),
    ...(token === undefined ? {} : { token }),
  };
}

function text<K extends string>(name: K, value: unknown): Partial<Record<K, string>> {
  if (typeof value !== 'string' && !Buffer.isBuffer(value)) return {};
  return { [name]: value.toString() } as Record<K, string>;
}
