/** The API server for a command that asks a few things and ends: no watch, no cache, no lease. */
import type { Clock } from '#ports/clock.ts';
import { ClusterError, type KubeObject, type ObjectKey, type Resource } from '#ports/cluster.ts';
import { silentLogger } from '#ports/logger.ts';
import { Connection } from './connect.ts';
import { Exchange } from './exchange.ts';
import { type Forward, openForward } from './forward.ts';
import type { InCluster } from './in-cluster.ts';
import {
  type Environment,
  type KubectlFlags,
  namespaceOf,
  readKubectlConfig,
} from './kubectl-config.ts';
import { listAll } from './list.ts';
import { collectionPath, isKubeObject, objectPath } from './resource.ts';

export interface Selection {
  /** Undefined: all. */
  readonly namespace: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
}

/** Every request rejects with ClusterError. */
export interface KubectlClient {
  /** Where and as which namespace the flags and the kubeconfig lead. */
  readonly server: string;
  readonly namespace: string;
  /** Undefined on 404. */
  get(resource: Resource, key: ObjectKey, signal: AbortSignal): Promise<KubeObject | undefined>;
  list(
    resource: Resource,
    selection: Selection,
    signal: AbortSignal,
  ): Promise<readonly KubeObject[]>;
  create(resource: Resource, object: NewObject, signal: AbortSignal): Promise<KubeObject>;
  /** The name under which the API server knows the caller. */
  whoAmI(signal: AbortSignal): Promise<string>;
  /** A URL of this machine that leads there through the API server's proxy; open until the client is closed. */
  forward(target: InCluster): Promise<Forward>;
  close(): Promise<void>;
}

export interface NewObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly namespace: string; readonly generateName: string };
  readonly spec: object;
}

export interface KubectlClientOptions {
  readonly flags: KubectlFlags;
  readonly env: Environment;
  readonly clock: Clock;
  readonly version: string;
  /** For each request; default: 15 s. */
  readonly requestTimeoutMs?: number | undefined;
}

const REQUEST_LIMIT_MS = 15_000;
const REVIEWS = '/apis/authentication.k8s.io/v1/selfsubjectreviews';

/** Throws KubeconfigProblem when the kubeconfig and the flags lead nowhere; no request is made yet. */
export function openKubectlClient(options: KubectlClientOptions): KubectlClient {
  const { flags, env, clock, version, requestTimeoutMs: limitMs = REQUEST_LIMIT_MS } = options;
  const config = readKubectlConfig(flags, env);
  const source = { type: 'kubectl', flags, env } as const;
  const userAgent = `kubectl-genesis/${version}`;
  const connection = new Connection({ source, clock, logger: silentLogger, userAgent });
  const exchange = new Exchange({ connection, clock });
  const forwards: Forward[] = [];
  return {
    server: config.getCurrentCluster()?.server ?? '',
    namespace: namespaceOf(config),
    get: async (resource, key, signal) => {
      const path = objectPath(resource, key);
      try {
        return toObject(
          path,
          await exchange.json({ method: 'GET', path, signals: [signal], limitMs }),
        );
      } catch (error) {
        if (error instanceof ClusterError && error.fault === 'notFound') return undefined;
        throw error;
      }
    },
    list: async (resource, { namespace, labelSelector, fieldSelector }, signal) => {
      const query = { labelSelector, fieldSelector };
      const { objects } = await listAll({
        exchange,
        resource,
        namespace,
        query,
        transform: (object) => object,
        signal,
        limitMs,
      });
      return objects;
    },
    create: async (resource, object, signal) => {
      const path = collectionPath(resource, object.metadata.namespace);
      const answer = await exchange.json({
        method: 'POST',
        path,
        body: object,
        signals: [signal],
        limitMs,
      });
      return toObject(path, answer);
    },
    whoAmI: async (signal) => {
      const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
      const answer = await exchange.json({
        method: 'POST',
        path: REVIEWS,
        body,
        signals: [signal],
        limitMs,
      });
      return usernameOf(answer);
    },
    forward: async (target) => {
      const forward = await openForward(connection, target);
      forwards.push(forward);
      return forward;
    },
    close: async () => {
      await Promise.all(forwards.map((forward) => forward.close()));
      await connection.close();
    },
  };
}

function toObject(path: string, answer: unknown): KubeObject {
  if (isKubeObject(answer)) return answer;
  throw new ClusterError('unavailable', `${path}: the answer is no Kubernetes object`);
}

function usernameOf(answer: unknown): string {
  const name = ['status', 'userInfo', 'username'].reduce<unknown>(
    (at, field) => (typeof at === 'object' && at !== null ? Reflect.get(at, field) : undefined),
    answer,
  );
  if (typeof name === 'string' && name !== '') return name;
  throw new ClusterError('unavailable', `POST ${REVIEWS}: the answer names nobody`);
}
