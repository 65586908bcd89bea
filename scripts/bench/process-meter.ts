/** What a process has used, from /proc: CPU time and memory. */
import { readFile } from 'node:fs/promises';

export interface Usage {
  /** CPU time of all threads, user and system, in seconds. */
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  /** The highest it has ever been. */
  readonly peakBytes: number;
}

/** `getconf CLK_TCK` is 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

export async function usageOf(pid: number): Promise<Usage> {
  const [stat, status] = await Promise.all([
    readFile(`/proc/${pid}/stat`, 'utf8'),
    readFile(`/proc/${pid}/status`, 'utf8'),
  ]);
  // The name in parentheses may hold spaces; the fields after it are counted from 3 (proc(5)).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[14 - 3]) + Number(fields[15 - 3]);
  const kib = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0);
  return {
    cpuSeconds: ticks / TICKS_PER_SECOND,
    residentBytes: kib('VmRSS') * 1024,
    peakBytes: kib('VmHWM') * 1024,
  };
}
