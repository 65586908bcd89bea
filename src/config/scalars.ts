/** Scalars that several parts of the settings share. */
import { z } from 'zod';
import { durationPattern, parseDuration } from '#api/duration.ts';

/** A path to a file; whether it is there is seen when it is read. */
export const file = (meaning: string) => z.string().min(1).describe(meaning);

export const duration = (text: string, meaning: string) =>
  z.string().regex(durationPattern).default(text).transform(parseDuration).describe(meaning);

export const whole = (least: number, most: number, meaning: string) =>
  z.int().min(least).max(most).describe(meaning);
