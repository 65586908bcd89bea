/** Stands where the evaluator of PromQL comes. */
import type { Promql } from './virtual-prometheus.ts';
export const noPromql: Promql = { range: () => [], knows: () => false };
