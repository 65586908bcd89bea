/** Services kept in Git under Argo CD with self-heal, and what happens to their rollouts. */
import type { DecisionEntry } from '#api/status.ts';
import { namespace, referenceTo, statusOf } from '../cluster/operator-world.ts';
import { pollUntil } from '../cluster/testbed-polling.ts';
import { flagKey, serviceManifests } from './manifests.ts';
import { type ArgocdWorld, applicationReference, mayRelease, type Sight } from './world.ts';

/** A whole run under one way of syncing. */
export interface Run {
  /** What Argo CD said in the end. */
  readonly sight: Sight | undefined;
  readonly phase: string | undefined;
  /** How often another writer changed the weights. */
  readonly drift: number;
  readonly flag: string | undefined;
  /** Canary's share, every change of it. */
  readonly weights: readonly number[];
  readonly sights: readonly Sight[];
}

export interface Observations {
  readonly server: Run;
  readonly client: Run;
  /** Without ignoreDifferences: canary's share until it was first taken back. */
  readonly fought: readonly number[];
  /** What the guide's role may do. */
  readonly rights: { readonly promote: string; readonly sync: string };
  readonly story: {
    readonly atHalf: Sight | undefined;
    readonly paused: Sight | undefined;
    readonly resumed: Sight | undefined;
    /** Git says 4; a hand said 9. */
    readonly historyLimit: number | undefined;
    readonly offered: readonly string[];
    readonly promoteStatus: number;
    readonly promoted: Sight | undefined;
    readonly asked: DecisionEntry | undefined;
    readonly rolledBack: Sight | undefined;
    readonly weights: readonly number[];
  };
}

const withinMs = 60_000;
const step = (name: string, at: string, weight: number) => ({ name, at, weight });
const quick = {
  steps: [
    step('dark', '0s', 0),
    step('some', '4s', 25),
    step('half', '8s', 50),
    step('full', '12s', 100),
  ],
  end: '14s',
};
const long = {
  steps: [step('dark', '0s', 0), step('half', '2s', 50), step('full', '100h', 100)],
  end: '101h',
};
const story = referenceTo('GenesisRollout', 'story');
const resource = {
  namespace,
  resourceName: story.name,
  group: 'genesis.dev',
  version: 'v1alpha1',
  kind: 'GenesisRollout',
};

export async function play(world: ArgocdWorld): Promise<Observations> {
  const names = ['server', 'client', 'fought'];
  const runs = names.map((name) => [
    `${name}/all.yaml`,
    serviceManifests(name, { schedule: quick }),
  ]);
  await world.repository.commit({ ...Object.fromEntries(runs), ...storyFiles({}) });
  await world.deploy('server');
  await world.deploy('client', ({ metadata, spec }) => {
    delete metadata.annotations;
    spec.syncPolicy.syncOptions = ['ApplyOutOfSyncOnly=true'];
  });
  await world.deploy('story');

  const fought = await playFight(world);
  const paused = await playPause(world);
  const promoted = await playPromotion(world);
  const { kubeconfigPath } = world.operator.plane;
  const rights = {
    promote: await mayRelease(kubeconfigPath, 'action/genesis.dev/GenesisRollout/promote'),
    sync: await mayRelease(kubeconfigPath, 'sync'),
  };
  const server = await ended(world, 'server');
  const client = await ended(world, 'client');
  world.operator.value = 2;
  const rolledBack = await shown(
    world,
    'story',
    ({ health, message }) => health === 'Degraded' && message.startsWith('rolled back'),
  );
  const weights = world.weights['story'] ?? [];
  return {
    server,
    client,
    fought,
    rights,
    story: { ...paused, ...promoted, rolledBack, weights },
  };
}

/** Without ignoreDifferences, until the fight has been seen: it takes the machine away from everybody else. */
async function playFight(world: ArgocdWorld): Promise<readonly number[]> {
  await world.deploy('fought', ({ spec }) => {
    delete spec.ignoreDifferences;
  });
  const isBack = (weights: readonly number[]) =>
    weights.some((weight, index) => weight < (weights[index - 1] ?? 0));
  const weights = await pollUntil(
    async () => [...(world.weights['fought'] ?? [])],
    isBack,
    withinMs,
  );
  await world.operator.plane.client.delete(applicationReference('fought'));
  return weights;
}

/** Paused in Git at 50 %, and taken back there; a hand's edit in between is undone. */
async function playPause(world: ArgocdWorld) {
  const { client } = world.operator.plane;
  const isGoing = ({ health, message }: Sight) =>
    health === 'Progressing' && message.startsWith('next is full');
  const atHalf = await shown(world, 'story', isGoing);
  await world.repository.commit(storyFiles({ paused: true }));
  const paused = await shown(world, 'story', ({ health }) => health === 'Suspended');
  await world.repository.commit(storyFiles({ historyLimit: 4 }));
  const resumed = await shown(world, 'story', isGoing);
  await client.patch(story, { spec: { historyLimit: 9 } });
  const healed = await pollUntil(
    async () => ((await client.get(story))?.['spec'] ?? {}) as { historyLimit?: number },
    ({ historyLimit }) => historyLimit === 4,
    withinMs,
  );
  return { atHalf, paused, resumed, historyLimit: healed.historyLimit };
}

function storyFiles(spec: object): Readonly<Record<string, readonly object[]>> {
  return { 'story/all.yaml': serviceManifests('story', { schedule: long, ...spec }) };
}

/** Through argocd-server, as its page does it. */
async function playPromotion(world: ArgocdWorld) {
  const { client } = world.operator.plane;
  const actions = `${world.argocd.url}/api/v1/applications/story/resource/actions`;
  const signal = AbortSignal.timeout(withinMs);
  const listed = await fetch(`${actions}?${new URLSearchParams(resource).toString()}`, { signal });
  const { actions: all } = (await listed.json()) as {
    actions: { name: string; disabled?: boolean }[];
  };
  const answer = await fetch(`${actions}/v2`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...resource, name: 'story', action: 'promote' }),
    signal,
  });
  const promoted = await shown(world, 'story', ({ message }) => message.startsWith('next is end'));
  return {
    offered: all.filter(({ disabled }) => disabled !== true).map(({ name }) => name),
    promoteStatus: answer.status,
    promoted,
    asked: statusOf(await client.get(story)).decisions?.[0],
  };
}

/** The first sight of it from now on, or the last one if there is none in time. */
async function shown(
  world: ArgocdWorld,
  app: string,
  isWanted: (sight: Sight) => boolean,
): Promise<Sight | undefined> {
  const all = () => world.sights[app] ?? [];
  const from = Math.max(0, all().length - 1);
  const find = async () => all().slice(from).find(isWanted);
  return (await pollUntil(find, (sight) => sight !== undefined, withinMs)) ?? all().at(-1);
}

/** When the run has succeeded and Argo CD has seen it. */
async function ended(world: ArgocdWorld, app: string): Promise<Run> {
  const { client } = world.operator.plane;
  const sight = await shown(
    world,
    app,
    ({ appHealth, health }) => health === 'Healthy' && appHealth === 'Healthy',
  );
  const { phase, routes } = statusOf(await client.get(referenceTo('GenesisRollout', app)));
  const flags = await client.get(referenceTo('ConfigMap', `${app}-flags`));
  const drift = routes?.find(({ kind }) => kind === 'HTTPRoute')?.drift ?? 0;
  return {
    sight,
    phase,
    drift,
    flag: (flags?.['data'] as Record<string, string> | undefined)?.[flagKey],
    weights: [...(world.weights[app] ?? [])],
    sights: [...(world.sights[app] ?? [])],
  };
}
