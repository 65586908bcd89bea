/**
 * The way from this machine to a URL that is meant for the operator: straight, or through the API server's proxy where
 * only a cluster knows the name.
 */
import { isIP } from 'node:net';
import type { Forward, Refusal } from '#kube/forward.ts';
import { doorOf, type InCluster, inClusterOf } from '#kube/in-cluster.ts';
import type { KubectlClient } from '#kube/kubectl-client.ts';
import { ClusterError, type Resource } from '#ports/cluster.ts';
import type { Network } from './network.ts';

export type Way =
  | { readonly type: 'straight'; readonly url: string }
  | {
      readonly type: 'proxied';
      /** On this machine. */
      readonly url: string;
      readonly to: InCluster;
      readonly refusal: () => Refusal | undefined;
    }
  /** Nothing is known of whoever is there. */
  | { readonly type: 'none'; readonly message: string };

export interface Reach {
  /** For what a person or the rollout names: never `none`, whatever is asked there says why it does not answer. */
  toNamed(url: string): Promise<Exclude<Way, { type: 'none' }>>;
  /** For what Prometheus names, from where it stands. */
  toFound(url: string): Promise<Way>;
  /** With the URLs that people know in place of those of this machine. */
  original(text: string): string;
}

export interface ReachOptions {
  readonly network: Network;
  readonly client: () => Promise<Pick<KubectlClient, 'forward' | 'list'>>;
  readonly signal: AbortSignal;
}

const pods: Resource = { group: '', version: 'v1', kind: 'Pod', plural: 'pods', namespaced: true };
/** No name outside a cluster ends so. */
const SURELY_INSIDE = /\.svc(?:\.[-.a-z0-9]+)?\.?$/;

export function createReach({ network, client, signal }: ReachOptions): Reach {
  /** By where they lead; opened once. */
  const forwards = new Map<string, Promise<Forward>>();
  const aliases: (readonly [here: string, there: string])[] = [];

  const through = async (url: URL, to: InCluster): Promise<Exclude<Way, { type: 'none' }>> => {
    const key = JSON.stringify(to);
    const opening = forwards.get(key) ?? client().then((one) => one.forward(to));
    forwards.set(key, opening);
    const forward = await opening;
    if (!aliases.some(([here]) => here === forward.url)) aliases.push([forward.url, url.origin]);
    const rest = `${url.pathname === '/' ? '' : url.pathname}${url.search}`;
    const refusal = () => forward.refusal();
    return { type: 'proxied', url: forward.url + rest, to, refusal };
  };

  const answers = async (url: URL): Promise<boolean> =>
    (await network.resolves(url.hostname, signal)) &&
    (await network.connects(url.hostname, doorOf(url).port, signal));

  return {
    async toNamed(text) {
      const url = URL.canParse(text) ? new URL(text) : undefined;
      const to = url === undefined ? undefined : inClusterOf(url);
      if (url === undefined || to === undefined) return { type: 'straight', url: text };
      const isKnown = SURELY_INSIDE.test(url.hostname)
        ? await answers(url)
        : await network.resolves(url.hostname, signal);
      return isKnown ? { type: 'straight', url: text } : await through(url, to);
    },
    async toFound(text) {
      if (!URL.canParse(text)) return { type: 'none', message: `${text} is no URL` };
      const url = new URL(text);
      if (await answers(url)) return { type: 'straight', url: text };
      const to = inClusterOf(url) ?? (await podAt(url, client, signal));
      if (to !== undefined && typeof to !== 'string') return await through(url, to);
      const why = to === undefined ? '' : `, and ${to}`;
      const message = `Prometheus sends to ${text}, which cannot be reached from here${why}; name the Alertmanager with --alertmanager`;
      return { type: 'none', message };
    },
    original: (text) => aliases.reduce((left, [here, there]) => left.replaceAll(here, there), text),
  };
}

/** @returns the pod that has the address, or why it is not known which, as half a sentence */
async function podAt(
  url: URL,
  client: ReachOptions['client'],
  signal: AbortSignal,
): Promise<InCluster | string | undefined> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) === 0) return undefined;
  try {
    const selection = { namespace: undefined, fieldSelector: `status.podIP=${host}` };
    const found = await (await client()).list(pods, selection, signal);
    // Pods with the address of their node share it.
    const [pod, ...others] = found;
    if (pod === undefined || others.length > 0) return 'it is not the address of one pod';
    const { name, namespace = '' } = pod.metadata;
    return { ...doorOf(url), plural: 'pods', namespace, name };
  } catch (error) {
    if (signal.aborted || !(error instanceof ClusterError)) throw error;
    return `whose address it is cannot be asked: ${error.message}`;
  }
}
