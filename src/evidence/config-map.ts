/** How evidence stands in ConfigMaps: names, labels, annotations, and what is owned by whom. */
import { annotations, labels, managedByValue } from '#api/names.ts';
import { ownedByRollout } from '#api/owner.ts';
import type { KubeObject, ObjectMeta } from '#ports/cluster.ts';
import type { EvidenceOwner } from '#ports/evidence-store.ts';

/** The key of `binaryData` that has the lines. */
export const LINES_KEY = 'records.jsonl.gz';

/** Digits that keep names of segments in order. */
const DIGITS = 4;

/** A segment that has grown too large goes on in a further part. */
export function segmentName(
  owner: EvidenceOwner,
  runId: string,
  segment: number,
  part: number,
): string {
  const number = String(segment).padStart(DIGITS, '0');
  return `${owner.name}-${runId}-s${number}${part === 0 ? '' : `-${part}`}`;
}

export function reportName(owner: EvidenceOwner, runId: string): string {
  return `${owner.name}-${runId}-report`;
}

/** @returns undefined when the name is none of a segment */
export function parseSegmentName(
  name: string,
): { readonly segment: number; readonly part: number } | undefined {
  const match = /-s([0-9]{4,})(?:-([0-9]+))?$/.exec(name);
  return match === null ? undefined : { segment: Number(match[1]), part: Number(match[2] ?? 0) };
}

export function metadataOf(
  owner: EvidenceOwner,
  runId: string,
  object: {
    readonly name: string;
    readonly purpose: 'snapshots' | 'report';
    readonly annotations: Readonly<Record<string, string>>;
  },
): ObjectMeta {
  return {
    name: object.name,
    namespace: owner.namespace,
    labels: {
      [labels.rollout]: owner.name,
      [labels.run]: runId,
      [labels.purpose]: object.purpose,
      [labels.managedBy]: managedByValue,
    },
    annotations: object.annotations,
    ownerReferences: ownedByRollout(owner),
  };
}

/** One of the same name that was deleted had evidence of its own, which is not ours. */
export function isOwnedBy(metadata: ObjectMeta, owner: EvidenceOwner): boolean {
  return (metadata.ownerReferences ?? []).some(({ uid }) => uid === owner.uid);
}

/** The bytes of the lines; undefined where there are none. */
export function bytesOf(object: KubeObject): Buffer | undefined {
  const data = object['binaryData'];
  const text: unknown =
    typeof data === 'object' && data !== null ? Reflect.get(data, LINES_KEY) : undefined;
  return typeof text === 'string' ? Buffer.from(text, 'base64') : undefined;
}

export function isClosed(metadata: ObjectMeta): boolean {
  return metadata.annotations?.[annotations.closed] === 'true';
}
