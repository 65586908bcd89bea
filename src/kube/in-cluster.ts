/** Addresses that only mean something inside a cluster, and the path under which the API server leads there. */

/** A Service or a pod behind the API server's proxy. */
export interface InCluster {
  readonly plural: 'services' | 'pods';
  readonly namespace: string;
  readonly name: string;
  readonly scheme: 'http' | 'https';
  readonly port: number;
}

const LABEL = '[a-z0-9](?:[-a-z0-9]*[a-z0-9])?';
/** `name.namespace`, with `.svc` and a cluster's domain behind it or not. */
const OF_SERVICE = new RegExp(`^(${LABEL})\\.(${LABEL})(?:\\.svc(?:\\.[-.a-z0-9]+)?)?\\.?$`);
/** `pod.name.namespace.svc`: one pod of a headless Service. */
const OF_POD = new RegExp(`^(${LABEL})\\.${LABEL}\\.(${LABEL})\\.svc(?:\\.[-.a-z0-9]+)?\\.?$`);

/** @returns undefined when the host has not the form of a name inside a cluster; it may be one outside all the same */
export function inClusterOf(url: URL): InCluster | undefined {
  const service = OF_SERVICE.exec(url.hostname);
  const [, name, namespace] = service ?? OF_POD.exec(url.hostname) ?? [];
  if (name === undefined || namespace === undefined || /^[0-9.]+$/.test(url.hostname)) {
    return undefined;
  }
  return { ...doorOf(url), plural: service === null ? 'pods' : 'services', namespace, name };
}

/** Scheme and port of a URL, as its host is asked. */
export function doorOf({ protocol, port }: URL): Pick<InCluster, 'scheme' | 'port'> {
  const scheme = protocol === 'https:' ? 'https' : 'http';
  return { scheme, port: port === '' ? (scheme === 'https' ? 443 : 80) : Number(port) };
}

/** `/api/v1/namespaces/monitoring/services/prometheus:9090/proxy`, without a slash at its end. */
export function proxyPath({ plural, namespace, name, scheme, port }: InCluster): string {
  const place = `${scheme === 'https' ? 'https:' : ''}${name}:${port}`;
  return `/api/v1/namespaces/${namespace}/${plural}/${place}/proxy`;
}
