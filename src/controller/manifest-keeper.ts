/**
 * Keeps what people watch a rollout with in step with it. One object at a time in the background: no decision ever waits
 * for a dashboard, and what cannot be written is said once and tried again later. A steady state writes nothing.
 */
import { annotations, fieldManager, labels } from '#api/names.ts';
import { digestOf } from '#core/run-id.ts';
import type { RunSpec } from '#core/run-spec.ts';
import type { Clock } from '#ports/clock.ts';
import {
  type Cluster,
  ClusterError,
  type KubeObject,
  type ObjectKey,
  type Resource,
} from '#ports/cluster.ts';
import type { Logger } from '#ports/logger.ts';
import type { ManifestSource, Wanted } from '#ports/manifest-source.ts';
import { DeadlineExceeded, withDeadline } from '#runtime/deadline.ts';
import type { RightOfWay } from '#runtime/right-of-way.ts';
import { isWithin } from './is-within.ts';

export interface ManifestKeeper {
  /** Called at every look; returns at once. */
  keep(rollout: KubeObject, run: RunSpec): void;
  /** Whether an object of this kind is there for the rollout, as far as this process has seen to it. */
  has(key: ObjectKey, kind: string): boolean;
  forget(key: ObjectKey): void;
}

/** Makes nothing. */
export const noManifests: ManifestKeeper = {
  keep: () => undefined,
  has: () => false,
  forget: () => undefined,
};

export interface ManifestKeeperOptions {
  readonly source: ManifestSource;
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly rightOfWay: RightOfWay;
  /** Aborted when the process ends. */
  readonly stopping: AbortSignal;
}

/** Somebody may have changed or deleted one: it is looked at again so often, which costs a GET. */
const CHECK_EVERY_MS = 600_000;
const REQUEST_MAX_MS = 5_000;
/** Between two rollouts: after a start there may be thousands. */
const PAUSE_MS = 20;

interface Entry {
  readonly rollout: KubeObject;
  readonly run: RunSpec;
  readonly checkedAtMs: number;
  /** Kinds of what is there. */
  readonly kinds: Set<string>;
}

export function createManifestKeeper(options: ManifestKeeperOptions): ManifestKeeper {
  const { clock, logger, stopping } = options;
  const entries = new Map<string, Entry>();
  const waiting = new Set<string>();
  const teller = new Teller(logger);
  const served = new Served(options);
  let isBusy = false;

  const work = async (): Promise<void> => {
    for (const id of waiting) {
      waiting.delete(id);
      const entry = entries.get(id);
      if (entry === undefined) continue;
      await inStep(entry, { ...options, teller, served });
      await clock.sleep(PAUSE_MS, stopping);
    }
  };
  const start = (): void => {
    if (isBusy) return;
    isBusy = true;
    work()
      .catch((error: unknown) => {
        if (!stopping.aborted) logger.error({ err: error }, 'dashboards and alerts are not kept');
      })
      .finally(() => {
        isBusy = false;
        if (waiting.size > 0 && !stopping.aborted) start();
      });
  };

  return {
    keep: (rollout, run) => {
      const id = idOf(rollout);
      const known = entries.get(id);
      const isSame = known?.run === run && known.rollout.metadata.uid === rollout.metadata.uid;
      const isFresh = isSame && clock.monotonic() - known.checkedAtMs < CHECK_EVERY_MS;
      if (isFresh || rollout.metadata.deletionTimestamp !== undefined) return;
      const kinds = known?.kinds ?? new Set();
      entries.set(id, { rollout, run, checkedAtMs: clock.monotonic(), kinds });
      waiting.add(id);
      start();
    },
    has: ({ namespace, name }, kind) =>
      entries.get(`${namespace}/${name}`)?.kinds.has(kind) ?? false,
    forget: ({ namespace, name }) => {
      entries.delete(`${namespace}/${name}`);
    },
  };
}

interface Work extends ManifestKeeperOptions {
  readonly teller: Teller;
  readonly served: Served;
}

async function inStep({ rollout, run, kinds }: Entry, work: Work): Promise<void> {
  const { name, uid = '' } = rollout.metadata;
  for (const wanted of work.source.wanted(run, { name, uid })) {
    try {
      await withDeadline(work.clock, REQUEST_MAX_MS, [work.stopping], async (signal) => {
        await work.rightOfWay.giveWay(signal);
        const isThere = await one(wanted, rollout, work, signal);
        if (isThere) kinds.add(wanted.resource.kind);
        else kinds.delete(wanted.resource.kind);
      });
    } catch (error) {
      if (work.stopping.aborted) throw error;
      if (!(error instanceof ClusterError || error instanceof DeadlineExceeded)) throw error;
      work.teller.failed(wanted.resource, rollout, error);
    }
  }
}

/** @returns whether the object is there now, as it shall be */
async function one(
  { resource, name, object }: Wanted,
  rollout: KubeObject,
  { cluster, teller, served }: Work,
  signal: AbortSignal,
): Promise<boolean> {
  const key = { namespace: rollout.metadata.namespace ?? '', name };
  if (!(await served.has(resource, key.namespace, signal))) {
    if (object !== undefined) teller.absent(resource);
    return false;
  }
  const live = await cluster.get(resource, key, signal);
  if (object === undefined) {
    if (live !== undefined && isOwned(live, rollout)) {
      await cluster.delete(resource, key, { fieldManager, signal });
    }
    return false;
  }
  if (live !== undefined && !isOurs(live, rollout)) {
    teller.foreign(resource, key);
    return false;
  }
  const marked = withFingerprint(object);
  if (live === undefined || !isWithin(marked, live)) {
    await cluster.apply(resource, marked, { fieldManager, force: true, signal });
  }
  return true;
}

/** Owned by this very rollout. */
function isOwned(live: KubeObject, { metadata: { uid } }: KubeObject): boolean {
  return live.metadata.ownerReferences?.some((owner) => owner.uid === uid) ?? false;
}

/** Owned, or made for it with `kubectl genesis render`. */
function isOurs(live: KubeObject, rollout: KubeObject): boolean {
  return isOwned(live, rollout) || live.metadata.labels?.[labels.rollout] === rollout.metadata.name;
}

/** What is no longer wanted of an object is not seen by comparing what is; a changed fingerprint shows it. */
function withFingerprint(object: KubeObject): KubeObject {
  const marks = { ...object.metadata.annotations, [annotations.rendered]: digestOf(object) };
  return { ...object, metadata: { ...object.metadata, annotations: marks } };
}

/** Which resources the API server has; the CRDs of the Prometheus Operator may come later. */
class Served {
  readonly #options: ManifestKeeperOptions;
  readonly #known = new Map<string, { readonly isThere: boolean; readonly atMs: number }>();

  constructor(options: ManifestKeeperOptions) {
    this.#options = options;
  }

  async has(resource: Resource, namespace: string, signal: AbortSignal): Promise<boolean> {
    const { clock, cluster } = this.#options;
    const known = this.#known.get(resource.plural);
    if (known !== undefined && clock.monotonic() - known.atMs < CHECK_EVERY_MS) {
      return known.isThere;
    }
    const isThere = await this.#ask(cluster, resource, namespace, signal);
    this.#known.set(resource.plural, { isThere, atMs: clock.monotonic() });
    return isThere;
  }

  /** Of a resource that is there the list is short: nothing of others has this label. */
  async #ask(
    cluster: Cluster,
    resource: Resource,
    namespace: string,
    signal: AbortSignal,
  ): Promise<boolean> {
    try {
      const where = { namespace, labels: { [labels.purpose]: 'none' } };
      await cluster.listMetadata(resource, where, signal);
      return true;
    } catch (error) {
      if (error instanceof ClusterError && error.fault === 'notFound') return false;
      throw error;
    }
  }
}

/** Says everything once for each resource, however many rollouts it concerns. */
class Teller {
  readonly #logger: Logger;
  readonly #told = new Set<string>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  absent({ group, kind }: Resource): void {
    if (!this.#isNew(`absent ${kind}`)) return;
    const words = `the API server does not know ${kind} (${group}), so none is made for rollouts`;
    this.#logger.info({ kind }, words);
  }

  foreign({ kind }: Resource, key: ObjectKey): void {
    if (!this.#isNew(`foreign ${kind} ${key.namespace}/${key.name}`)) return;
    const words = `a ${kind} of this name is there, without the label ${labels.rollout}: it is left alone`;
    this.#logger.warn({ ...key, kind }, words);
  }

  failed({ kind, plural, group }: Resource, rollout: KubeObject, error: Error): void {
    const { name, namespace } = rollout.metadata;
    const fault = error instanceof ClusterError ? error.fault : 'timeout';
    if (!this.#isNew(`${fault} ${kind}`)) return;
    const right =
      fault === 'forbidden'
        ? `; the operator needs get, list, create, patch and delete on ${plural}${group === '' ? '' : `.${group}`}`
        : '';
    const words = `the ${kind} of a rollout could not be kept in step: ${error.message}${right}`;
    this.#logger.warn({ namespace, name, kind }, words);
  }

  #isNew(what: string): boolean {
    if (this.#told.has(what)) return false;
    this.#told.add(what);
    return true;
  }
}

function idOf({ metadata: { namespace = '', name } }: KubeObject): string {
  return `${namespace}/${name}`;
}
