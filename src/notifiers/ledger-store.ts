/** What was told of a rollout, in one ConfigMap that the rollout owns: written when something is told, and else never. */
import { z } from 'zod';
import { configMapResource, fieldManager, labels, managedByValue } from '#api/names.ts';
import { notificationKindNames } from '#api/notify.ts';
import { ownedByRollout } from '#api/owner.ts';
import { severities } from '#api/trigger.ts';
import { type Cluster, ClusterError, type KubeObject } from '#ports/cluster.ts';
import type { EvidenceOwner } from '#ports/evidence-store.ts';
import type { KeptNotices, NoticeStore } from '#ports/notifier.ts';

/** The key of `data`. */
const KEY = 'notices.json';
/** Far below what a ConfigMap takes; the newest messages under way are kept. */
const PENDING_MAX = 100;
const BODY_MAX = 4_000;

const kindSchema = z.enum(notificationKindNames);

const messageSchema = z.object({
  id: z.string(),
  kind: kindSchema,
  severity: z.enum(severities),
  at: z.string(),
  namespace: z.string(),
  rollout: z.string(),
  revision: z.string(),
  runId: z.string(),
  subject: z.string(),
  title: z.string(),
  text: z.string(),
  details: z.array(z.object({ label: z.string(), value: z.string() })),
  body: z.string().optional(),
  runbookUrl: z.string().optional(),
  incident: z
    .object({
      key: z.string(),
      state: z.enum(['Open', 'Acknowledged', 'Closed']),
      openedAt: z.string(),
      acknowledgedBy: z.string().optional(),
    })
    .optional(),
});

const keptSchema = z.object({
  ledger: z
    .object({
      runId: z.string(),
      told: z.array(z.string()),
      open: z.array(
        z.object({
          name: z.string(),
          message: messageSchema,
          channels: z.array(z.string()),
          answeredBy: z.string().optional(),
          remindedAt: z.string().optional(),
        }),
      ),
      values: z.record(z.string(), z.number()),
    })
    .optional(),
  pending: z.array(z.object({ channel: z.string(), message: messageSchema, sinceMs: z.number() })),
});

export function createLedgerStore(
  cluster: Pick<Cluster, 'get' | 'create' | 'replace'>,
): NoticeStore {
  return {
    async load(rollout, signal) {
      const object = await cluster.get(configMapResource, keyOf(rollout), signal);
      // One of a rollout of the same name that is gone is not ours.
      return object === undefined || !isOwned(object, rollout) ? undefined : parse(object);
    },
    async save(rollout, kept, signal) {
      const key = keyOf(rollout);
      const known = await cluster.get(configMapResource, key, signal);
      const object = toObject(rollout, kept, known?.metadata.resourceVersion);
      if (known !== undefined) {
        await cluster.replace(configMapResource, object, { fieldManager, signal });
        return;
      }
      await cluster.create(configMapResource, object, { fieldManager, signal });
    },
  };
}

/** Worth another try; a Forbidden may be mended by whoever gives rights. */
export function isFenced(error: unknown): boolean {
  return error instanceof ClusterError && error.fault === 'fenced';
}

/** As evidence knows the rollout. */
export function ownerOf({ apiVersion, kind, metadata }: KubeObject): EvidenceOwner {
  const { namespace = '', name, uid = '' } = metadata;
  return { apiVersion, kind, namespace, name, uid };
}

function keyOf({ metadata }: KubeObject) {
  return { namespace: metadata.namespace ?? '', name: `${metadata.name}-notices` };
}

function isOwned({ metadata }: KubeObject, rollout: KubeObject): boolean {
  return (metadata.ownerReferences ?? []).some(({ uid }) => uid === rollout.metadata.uid);
}

/** What cannot be read is as good as nothing: a person is told of the present once more. */
function parse(object: KubeObject): KeptNotices | undefined {
  const data = z.object({ [KEY]: z.string() }).safeParse(object['data']);
  const text = data.success ? data.data[KEY] : undefined;
  if (text === undefined) return undefined;
  try {
    const parsed = keptSchema.safeParse(JSON.parse(text));
    return parsed.success ? { ledger: undefined, ...parsed.data } : undefined;
  } catch {
    return undefined;
  }
}

function toObject(
  rollout: KubeObject,
  { ledger, pending }: KeptNotices,
  resourceVersion: string | undefined,
): KubeObject {
  const { name, namespace, uid = '' } = rollout.metadata;
  const waiting = pending.slice(-PENDING_MAX).map((one) => {
    const { body } = one.message;
    return body === undefined
      ? one
      : { ...one, message: { ...one.message, body: body.slice(0, BODY_MAX) } };
  });
  return {
    apiVersion: 'v1',
    kind: configMapResource.kind,
    metadata: {
      ...keyOf(rollout),
      ...(namespace === undefined ? {} : { namespace }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
      labels: {
        [labels.rollout]: name,
        [labels.purpose]: 'notices',
        [labels.managedBy]: managedByValue,
      },
      ownerReferences: ownedByRollout({ name, uid }),
    },
    data: { [KEY]: JSON.stringify({ ledger, pending: waiting }, undefined, 1) },
  };
}
