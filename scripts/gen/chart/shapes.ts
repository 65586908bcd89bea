/** Shapes that several values share. */
import { z } from 'zod';
import { namePattern } from '#api/scalars.ts';

export const kubeName = z.string().regex(namePattern);

/** Whatever Kubernetes takes there: the API server checks it. */
export const kubeObject = z.record(z.string(), z.unknown());

export const textMap = (meaning: string) =>
  z.record(z.string(), z.string()).default({}).describe(meaning);

export const kubeObjects = (meaning: string) => z.array(kubeObject).default([]).describe(meaning);

export const flag = (fallback: boolean, meaning: string) =>
  z.boolean().default(fallback).describe(meaning);

export const text = (fallback: string, meaning: string) =>
  z.string().default(fallback).describe(meaning);
