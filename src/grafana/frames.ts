/** From what the query API answers to the newest value that a panel shows. */
import { z } from 'zod';

const field = z.object({
  type: z.string().optional(),
  /** The step of a range, at the field with the times. */
  config: z.object({ interval: z.number().nullish() }).nullish(),
});

const frame = z.object({
  schema: z.object({ fields: z.array(field).nullish() }).nullish(),
  data: z.object({ values: z.array(z.array(z.unknown()).nullish()).nullish() }).nullish(),
});

export type Frame = z.output<typeof frame>;

const result = z.object({
  error: z.string().nullish(),
  frames: z.array(frame).nullish(),
});

export const queryAnswer = z.object({ results: z.record(z.string(), result) });

/**
 * The time of the newest value; undefined when there is none. NaN and the infinities come as null, and are none. A point of
 * a range stands until the next one would come, so it is as new as the end of that step, or of the window. What has no time is
 * of now; where no field holds numbers, as with logs, each row is a value.
 */
export function newestAtMs(frames: readonly Frame[], endMs: number): number | undefined {
  const times = frames.flatMap((one) => newestOf(one, endMs) ?? []);
  return times.length === 0 ? undefined : Math.max(...times);
}

function newestOf({ schema, data }: Frame, endMs: number): number | undefined {
  const fields = schema?.fields ?? [];
  const columns = (data?.values ?? []).map((column) => column ?? []);
  const timeAt = fields.findIndex(({ type }) => type === 'time');
  const numbersAt = fields.flatMap(({ type }, index) => (type === 'number' ? [index] : []));
  const valuesAt = numbersAt.length > 0 ? numbersAt : fields.flatMap((_, index) => [index]);
  const shown = valuesAt.filter((index) => numbersAt.length > 0 || index !== timeAt);
  const rows = Math.max(0, ...columns.map(({ length }) => length));
  const stepMs = fields[timeAt]?.config?.interval ?? 0;
  let newest: number | undefined;
  for (let row = 0; row < rows; row += 1) {
    const isShown = shown.some((index) => isValue(columns[index]?.[row]));
    if (!isShown) continue;
    const atMs = timeAt === -1 ? endMs : columns[timeAt]?.[row];
    if (typeof atMs !== 'number') continue;
    newest = Math.max(newest ?? atMs, atMs);
  }
  return newest === undefined ? undefined : Math.max(newest, Math.min(newest + stepMs, endMs));
}

function isValue(value: unknown): boolean {
  return value !== null && value !== undefined;
}
