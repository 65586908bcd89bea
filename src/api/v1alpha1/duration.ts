/** Durations as the Gateway API writes them: `90s`, `5m`, `6h`, `1h30m`. In code they are milliseconds. */
import { z } from 'zod';
import { durationPattern } from './duration-text.ts';
import { limits } from './limits.ts';

export { durationForm, durationPattern, formatDuration, parseDuration } from './duration-text.ts';

/** A duration in a spec. The meaning of the field goes into `meaning`. */
export function duration(meaning: string) {
  return z.string().regex(durationPattern).max(limits.durationLengthMax).describe(meaning);
}

export const durationSchema = duration('A duration such as `90s`, `5m`, `6h` or `1h30m`.');
