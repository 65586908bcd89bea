/** Argo CD, the operator and a Git repository around one control plane, and what is seen of Applications and routes. */
import { readFile, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { parse } from 'yaml';
import { systemClock } from '#runtime/clock.ts';
import { startWatch } from '#scripts/demo/watch.ts';
import { run } from '#scripts/testbed/command.ts';
import { searchPath } from '#scripts/testbed/environment.ts';
import {
  type Argocd,
  argocdNamespace,
  type KubeObject,
  type ObjectReference,
  startArgocd,
  toolPath,
} from '#scripts/testbed/index.ts';
import { acceptRoute } from '#test/stub-gateway.ts';
import {
  canaryWeight,
  namespace,
  type OperatorWorld,
  startOperatorWorld,
} from '../cluster/operator-world.ts';
import { blockOf, root } from '../gitops/guide.ts';
import { Repository } from './repository.ts';

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

const guidePath = 'docs/gitops-argo-cd.md';

export async function startArgocdWorld(): Promise<ArgocdWorld> {
  const operator = await startOperatorWorld();
  const { plane } = operator;
  const { client } = plane;
  const repository = new Repository(join(plane.runFolder, 'git'));
  await repository.create();
  await client.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: argocdNamespace } });
  await followGuide(plane.kubeconfigPath);
  const argocd = await startArgocd({ plane });
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

/** The commands of the guide, as it says them. */
async function followGuide(kubeconfig: string): Promise<void> {
  const folder = dirname(await toolPath('kubectl'));
  const commands = await blockOf(guidePath, 'sh');
  const env = { KUBECONFIG: kubeconfig, PATH: [folder, searchPath()].join(delimiter) };
  await run('sh', ['-ec', commands], { cwd: root, env });
}

/** Whether somebody in the guide's role may do this, by Argo CD's own command. */
export async function mayRelease(kubeconfig: string, action: string): Promise<string> {
  const policy = join(dirname(kubeconfig), 'policy.csv');
  await writeFile(policy, await blockOf(guidePath, 'csv'));
  const rest = ['applications', 'default/checkout', '--policy-file', policy];
  const settings = ['--kubeconfig', kubeconfig];
  const args = ['admin', 'settings', 'rbac', 'can', 'role:release', action, ...rest, ...settings];
  // `No` is an exit code as well.
  const answer = await run('sh', ['-c', '"$@" || true', 'sh', await toolPath('argocd'), ...args]);
  return answer.trim();
}

async function documented(
  name: string,
  repository: Repository,
  argocd: Argocd,
): Promise<Application> {
  const text = await readFile(join(root, 'deploy/argocd/application.yaml'), 'utf8');
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
