/** Instants of a scenario: elapsed since its start (`6h30m`), or RFC 3339. */
import { z } from 'zod';
import { durationPattern, formatDuration, parseDuration } from '#api/duration.ts';

const RFC3339 =
  /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})$/;

const MOMENT_FORM = 'a time since the start such as 6h30m, or a time such as 2026-11-22T04:10:00Z';

/** `duration` is what is left of a text that is no instant. */
export const momentSchema = z
  .string()
  .refine((text) => durationPattern.test(text) || isInstant(text), {
    error: ({ input }) => `${JSON.stringify(input)} is not ${MOMENT_FORM}`,
  });

export const instantSchema = z.string().refine(isInstant, {
  error: ({ input }) => `${JSON.stringify(input)} is not a time such as 2026-11-22T04:10:00Z`,
});

export function isInstant(text: string): boolean {
  return RFC3339.test(text) && !Number.isNaN(Date.parse(text));
}

export function momentMs(text: string, startMs: number): number {
  return durationPattern.test(text) ? startMs + parseDuration(text) : Date.parse(text);
}

/** `6h30m1s`; before the start with a sign. */
export function elapsedText(atMs: number, startMs: number): string {
  return formatDuration(atMs - startMs);
}
