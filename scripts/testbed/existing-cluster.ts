/** Address and credentials of a cluster that somebody else runs, from its kubeconfig. */
import type { RequestOptions } from 'node:https';

import { KubeConfig } from '@kubernetes/client-node';

import type { ClusterAddress } from './api-client.ts';

/** Tokens, client certificates and exec plugins, as kubectl would use them for the current context. */
export async function existingCluster(kubeconfig: string): Promise<ClusterAddress> {
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
