/** One Event object, within the limits that the API server sets. */
import type { KubeObject } from '#ports/cluster.ts';
import type { EventNote } from '#ports/event-recorder.ts';
import { microTime } from './lease.ts';

export interface NewEvent {
  readonly note: EventNote;
  readonly nowMs: number;
  /** Tells events of the same millisecond apart. */
  readonly serial: number;
  readonly reportingController: string;
  readonly reportingInstance: string;
}

/** The API server refuses notes of more than 1 kB. */
const NOTE_BYTES_MAX = 1_024;
const WORD_MAX = 128;
/** Of 253, with room for the number behind it. */
const NAME_MAX = 220;

export function eventObject(event: NewEvent): KubeObject {
  const { note, nowMs, serial, reportingController, reportingInstance } = event;
  const { apiVersion, kind, metadata } = note.regarding;
  const { name, namespace = 'default', uid, resourceVersion } = metadata;
  return {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { name: `${prefixOf(name)}.${numberOf(nowMs, serial)}`, namespace },
    eventTime: microTime(nowMs),
    reportingController,
    reportingInstance: reportingInstance.slice(0, WORD_MAX),
    type: note.type,
    reason: note.reason.slice(0, WORD_MAX),
    action: note.action.slice(0, WORD_MAX),
    note: cutToBytes(note.note, NOTE_BYTES_MAX),
    regarding: {
      apiVersion,
      kind,
      name,
      ...(metadata.namespace === undefined ? {} : { namespace }),
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    },
  };
}

/** A label of a domain name must not end in a hyphen or a point. */
function prefixOf(name: string): string {
  return name.slice(0, NAME_MAX).replace(/[-.]+$/, '');
}

/** As client-go: time in hexadecimal nanoseconds, made unique by the serial number. */
function numberOf(nowMs: number, serial: number): string {
  return (BigInt(Math.trunc(nowMs)) * 1_000_000n + BigInt(serial % 1_000_000)).toString(16);
}

/** Cuts at a whole character. */
export function cutToBytes(text: string, bytesMax: number): string {
  if (Buffer.byteLength(text) <= bytesMax) return text;
  const end = '…';
  const room = Buffer.from(text).subarray(0, bytesMax - Buffer.byteLength(end));
  return `${new TextDecoder('utf-8', { fatal: false }).decode(room, { stream: true })}${end}`;
}
