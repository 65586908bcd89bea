/** The rollout whose chain is checked: as it stands in the cluster and as its run follows it, or as a file has it. */
import { controllerRevisionResource } from '#api/names.ts';
import { type RolloutSpec, rolloutSpecSchema } from '#api/rollout.ts';
import type { Hold, RolloutStatus } from '#api/status.ts';
import { validateSpec } from '#api/validate.ts';
import { isOfChain } from '#cli/chain-holds.ts';
import { BadInput, Failure, type Terminal } from '#cli/command.ts';
import { at, numberAt } from '#cli/fields.ts';
import { readStatus } from '#cli/page/readable-status.ts';
import { readWritten, resolveWatched } from '#cli/read-rollouts.ts';
import type { RunSpec } from '#core/run-spec.ts';
import type { KubectlClient } from '#kube/kubectl-client.ts';
import { ClusterError, type KubeObject, type ObjectKey } from '#ports/cluster.ts';

export interface Subject {
  readonly namespace: string;
  readonly name: string;
  readonly spec: RolloutSpec;
  readonly run: RunSpec;
  /** 0 where it stands in a file. */
  readonly generation: number;
  /** Canary share in percent, as read back; 0 where it stands in a file. */
  readonly weight: number;
  /** Which spec it is, as the end of "Metric chain of …". */
  readonly source: string;
  readonly phase: string;
  /** The operator's own, where it waits for the chain. */
  readonly holds: readonly Hold[];
}

const OVER = ['Succeeded', 'RolledBack'];
/** @param object as the API server gave it */
export async function subjectInCluster(
  object: KubeObject,
  client: Pick<KubectlClient, 'get'>,
  signal: AbortSignal,
): Promise<Subject> {
  const { name, namespace = '' } = object.metadata;
  const { status } = readStatus(object['status']);
  const found = await followed(object, status, (record) =>
    recorded({ namespace, name: record }, client, signal),
  );
  const parsed = rolloutSpecSchema.safeParse(found.spec);
  if (!parsed.success) {
    throw new BadInput(
      validateSpec(found.spec).map((problem) => `rollout ${name}: ${problem.message}`),
    );
  }
  const resolved = resolveWatched({ namespace, name, spec: parsed.data });
  if (resolved.type === 'invalid') {
    throw new BadInput(resolved.problems.map((problem) => `rollout ${name}: ${problem}`));
  }
  const { phase = 'New', holds = [] } = status;
  return {
    namespace,
    name,
    spec: parsed.data,
    run: resolved.run,
    generation: found.generation,
    weight: status.weight ?? 0,
    source: found.source,
    phase,
    holds: holds.filter((hold) => isOfChain(hold, phase)),
  };
}

interface Followed {
  readonly spec: unknown;
  readonly generation: number;
  readonly source: string;
}

/** A run goes on under the spec that was recorded for it, and so does the operator's own check. */
async function followed(
  object: KubeObject,
  status: RolloutStatus,
  readRecord: (name: string) => Promise<unknown>,
): Promise<Followed> {
  const generation = generationOf(object);
  const current = { spec: object['spec'], generation };
  const { specRecord, runGeneration, phase = '' } = status;
  if (specRecord === undefined || runGeneration === undefined || OVER.includes(phase)) {
    return { ...current, source: `the spec as it stands (generation ${generation})` };
  }
  if (runGeneration === generation) {
    return { ...current, source: `the spec that the run follows (generation ${generation})` };
  }
  const spec = await readRecord(specRecord);
  return spec === undefined
    ? {
        ...current,
        source: `the spec as it stands (generation ${generation}); the run follows generation ${runGeneration}, whose record cannot be read`,
      }
    : {
        spec,
        generation: runGeneration,
        source: `the spec that the run follows (generation ${runGeneration}); it has been edited since, and -f checks a file`,
      };
}

function generationOf({ metadata }: KubeObject): number {
  return numberAt(metadata, 'generation') ?? 0;
}

/** Undefined where there is none, or none that the caller may read. */
async function recorded(
  key: ObjectKey,
  client: Pick<KubectlClient, 'get'>,
  signal: AbortSignal,
): Promise<unknown> {
  try {
    const record = await client.get(controllerRevisionResource, key, signal);
    return at(record, 'data', 'spec');
  } catch (error) {
    if (error instanceof ClusterError && error.fault === 'forbidden') return undefined;
    throw error;
  }
}

/** @param wanted which of several */
export function subjectInFile(
  file: string,
  wanted: { readonly name: string | undefined; readonly namespace: string | undefined },
  terminal: Pick<Terminal, 'readText'>,
): Subject {
  const all = readWritten(file, terminal, wanted.namespace);
  const fitting = all.filter(({ name }) => wanted.name === undefined || wanted.name === name);
  const [one, ...others] = fitting;
  const names = all.map(({ name }) => name).join(', ');
  if (one === undefined) {
    throw new Failure('notFound', [
      `${file}: there is no rollout ${wanted.name}; there is ${names}`,
    ]);
  }
  if (others.length > 0) throw new BadInput([`${file} holds several rollouts; name one: ${names}`]);
  const { namespace } = one.run.placeholders;
  if (wanted.namespace !== undefined && wanted.namespace !== namespace) {
    throw new BadInput([
      `${file}: rollout ${one.name} is in namespace ${namespace}, and --namespace says ${wanted.namespace}`,
    ]);
  }
  return {
    namespace,
    name: one.name,
    spec: one.spec,
    run: one.run,
    generation: 0,
    weight: 0,
    source: `the spec in ${file}`,
    phase: 'New',
    holds: [],
  };
}
