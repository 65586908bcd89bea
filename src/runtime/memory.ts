/** Memory of a process that is idle most of the time and busy for a moment at every tick. */
import { setFlagsFromString } from 'node:v8';

/**
 * V8 takes memory for speed that this process does not need. What each setting is worth at 1,000 rollouts stands in
 * docs/performance.md.
 */
const settings = [
  // The young generation would double whenever much survives a collection, and never be given back.
  '--semi-space-growth-factor=1',
  // Collects before garbage has grown to half of what lives, and gives pages back.
  '--memory-saver-mode',
  // Compilers leave tens of megabytes behind in the allocator of each of their threads. Code that runs a hundred
  // times a second gains little from them; what really is hot still gets there.
  '--concurrent-turbofan-max-threads=1',
  '--invocation-count-for-maglev=4000',
  '--invocation-count-for-turbofan=20000',
  // The same for undici's parser, which reads a hundred short answers a second.
  '--liftoff-only',
  '--no-wasm-tier-up',
  '--no-wasm-dynamic-tiering',
] as const;

export function preferSmallHeap(): void {
  for (const setting of settings) setFlagsFromString(setting);
}
