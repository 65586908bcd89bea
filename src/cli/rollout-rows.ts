/** A rollout in one line: phase, step, weight, what comes next. Reads whatever stands in the status. */
import type { KubeObject } from '#ports/cluster.ts';
import { at, listAt, numberAt, textAt, timeAt } from './fields.ts';
import { type Row, tableText } from './table.ts';
import { fromNowText, lengthText } from './times.ts';

export interface RowOptions {
  readonly nowMs: number;
  readonly isWide: boolean;
  readonly isEverywhere: boolean;
  readonly hasHead: boolean;
}

const HEAD = ['NAME', 'PHASE', 'STEP', 'WEIGHT', 'NEXT', 'AGE'];
const HEAD_WIDE = ['REVISION', 'HOLDS', 'MESSAGE'];
const MESSAGE_MAX = 100;

export function rowsText(objects: readonly KubeObject[], options: RowOptions): string {
  const { isWide, isEverywhere, hasHead } = options;
  const head = [...(isEverywhere ? ['NAMESPACE'] : []), ...HEAD, ...(isWide ? HEAD_WIDE : [])];
  const text = tableText(
    head,
    objects.map((object) => rowOf(object, options)),
  );
  return hasHead ? text : text.slice(text.indexOf('\n') + 1);
}

function rowOf(object: KubeObject, { nowMs, isWide, isEverywhere }: RowOptions): Row {
  const { metadata } = object;
  const status = object['status'];
  const createdMs = timeAt(metadata, 'creationTimestamp');
  const weight = numberAt(status, 'weight');
  return [
    ...(isEverywhere ? [textAt(metadata, 'namespace')] : []),
    textAt(metadata, 'name'),
    phaseOf(object),
    textAt(status, 'step'),
    weight === undefined ? undefined : `${weight}%`,
    nextText(status, nowMs),
    createdMs === undefined ? undefined : lengthText(nowMs - createdMs),
    ...(isWide
      ? [
          textAt(status, 'revision') ?? textAt(object, 'spec', 'revision'),
          holdsOf(status),
          messageOf(status),
        ]
      : []),
  ];
}

function phaseOf(object: KubeObject): string {
  if (object.metadata.deletionTimestamp !== undefined) return 'Deleting';
  const status = object['status'];
  const phase = textAt(status, 'phase');
  if (phase !== undefined) return phase;
  return at(status, 'phase') === undefined ? 'New' : 'Unreadable';
}

/** `full (100%) in 2h13m`: the first point of the plan that has not been passed. */
export function nextText(status: unknown, nowMs: number): string | undefined {
  const phase = textAt(status, 'phase');
  if (phase === 'RollingBack' || phase === 'RolledBack' || phase === 'Succeeded') return '-';
  const next = listAt(status, 'plan').find((point) => textAt(point, 'passedAt') === undefined);
  const name = textAt(next, 'name');
  const dueMs = timeAt(next, 'dueAt');
  if (name === undefined || dueMs === undefined) return '-';
  const weight = numberAt(next, 'weight');
  const what = weight === undefined ? name : `${name} (${weight}%)`;
  return dueMs > nowMs ? `${what} ${fromNowText(dueMs, nowMs)}` : `${what} due`;
}

function holdsOf(status: unknown): string {
  const reasons = listAt(status, 'holds').flatMap((hold) => textAt(hold, 'reason') ?? []);
  return [...new Set(reasons)].join(',') || '-';
}

function messageOf(status: unknown): string | undefined {
  const message = textAt(status, 'message');
  return message !== undefined && message.length > MESSAGE_MAX
    ? `${message.slice(0, MESSAGE_MAX - 3)}...`
    : message;
}
