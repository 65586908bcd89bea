/** Argo CD, the operator and a Git repository around one control plane, and what is seen of Applications and routes. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { systemClock } from '#runtime/clock.ts';
import { startWatch } from '#scripts/demo/watch.ts';
import {
  type Argocd,
  argocdNamespace,
  type KubeObject,
  type ObjectReference,
  startArgocd,
} from '#scripts/testbed/index.ts';
import {
  canaryWeight,
  namespace,
  type OperatorWorld,
  startOperatorWorld,
} from '../cluster/operator-world.ts';
import { Repository } from './repository.ts';
import { acceptRoute } from './stub-gateway.ts';

/** What an Application says of its GenesisRollout and of itself. */
export interface Sight {
  readonly atMs: number;
  readonly sync: string;
  /** What differs from Git. */
  readonly outOfSync: readonly string[];
  readonly appHealth: string;
  readonly health: string;
  readonly message: string;
}

export interface ArgocdWorld {
  readonly operator: OperatorWorld;
  readonly argocd: Argocd;
  readonly repository: Repository;
  /** Every change, by Application. */
  readonly sights: Readonly<Record<string, Sight[]>>;
  /** Canary's share by route, every change of it. */
  readonly weights: Readonly<Record<string, number[]>>;
  /** An Application like that of deploy/argocd/application.yaml, of this name, from this repository. */
  deploy(name: string, change?: (application: Application) => void): Promise<void>;
  stop(): Promise<void>;
}

export interface Application extends KubeObject {
  metadata: KubeObject['metadata'] & { annotations?: Record<string, string> };
  spec: {
    source: { repoURL: string; path: string };
    destination: { server: string };
    ignoreDifferences?: { name?: string }[];
    syncPolicy: { syncOptions: string[] };
  };
}

const deployFolder = join(import.meta.dirname, '../../deploy/argocd');

export async function startArgocdWorld(): Promise<ArgocdWorld> {
  const operator = await startOperatorWorld();
  const { plane } = operator;
  const { client } = plane;
  const repository = new Repository(join(plane.runFolder, 'git'));
  await repository.create();
  const argocd = await startArgocd({ plane, configMap: join(deployFolder, 'argocd-cm.yaml') });
  const sights: Record<string, Sight[]> = {};
  const weights: Record<string, number[]> = {};
  const watches = [
    startWatch({
      client,
      path: `/apis/argoproj.io/v1alpha1/namespaces/${argocdNamespace}/applications`,
      onObject: (object) => (sights[object.metadata.name] ??= []).push(sightOf(object)),
    }),
    startWatch({
      client,
      path: `/apis/gateway.networking.k8s.io/v1/namespaces/${namespace}/httproutes`,
      onObject: (object) => {
        noteWeight((weights[object.metadata.name] ??= []), object);
        // A write that fails is made good by the next event of the watch.
        void acceptRoute(client, object).catch(() => undefined);
      },
    }),
  ];
  return {
    operator,
    argocd,
    repository,
    sights,
    weights,
    deploy: async (name, change = () => undefined) => {
      const application = await documented(name, repository, argocd);
      change(application);
      await client.apply(application);
    },
    stop: async () => {
      await Promise.all(watches.map(async (watch) => await watch.stop()));
      await argocd.stop();
      await operator.stop();
    },
  };
}

async function documented(
  name: string,
  repository: Repository,
  argocd: Argocd,
): Promise<Application> {
  const text = await readFile(join(deployFolder, 'application.yaml'), 'utf8');
  const application = parse(text.replaceAll('checkout-flags', `${name}-flags`)) as Application;
  application.metadata = { ...application.metadata, name };
  application.spec.source = { ...application.spec.source, repoURL: repository.url, path: name };
  application.spec.destination.server = argocd.destination;
  return application;
}

export function applicationReference(name: string): ObjectReference {
  const apiVersion = 'argoproj.io/v1alpha1';
  return { apiVersion, kind: 'Application', namespace: argocdNamespace, name };
}

interface ApplicationStatus {
  readonly sync?: { readonly status: string };
  readonly health?: { readonly status: string };
  readonly resources?: readonly {
    readonly kind: string;
    readonly name: string;
    readonly status: string;
    readonly health?: { readonly status: string; readonly message?: string };
  }[];
}

function sightOf(object: KubeObject): Sight {
  const status = (object['status'] ?? {}) as ApplicationStatus;
  const { resources = [] } = status;
  const rollout = resources.find(({ kind }) => kind === 'GenesisRollout');
  return {
    atMs: systemClock.now(),
    sync: status.sync?.status ?? '',
    outOfSync: resources
      .filter((one) => one.status !== 'Synced')
      .map((one) => `${one.kind} ${one.name}`),
    appHealth: status.health?.status ?? '',
    health: rollout?.health?.status ?? '',
    message: rollout?.health?.message ?? '',
  };
}

function noteWeight(seen: number[], object: KubeObject): void {
  const weight = canaryWeight(object, `${object.metadata.name}-canary`);
  if (weight !== undefined && seen.at(-1) !== weight) seen.push(weight);
}
