/** Memory of a process that is idle most of the time and busy for a moment at every tick. */
import { setFlagsFromString } from 'node:v8';

/**
 * V8 doubles its young generation whenever much survives a collection, and never gives it back: after one busy
 * start the process keeps over 100 MB that it does not need. With a factor of 1 it stays as it began. Measured
 * on churn like ours: 114 to 131 MB resident instead of 213, at the same throughput.
 */
export function keepYoungGenerationSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}
