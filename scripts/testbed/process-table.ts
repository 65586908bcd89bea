/** Questions about other processes, answered by /proc. */
import { readFile } from 'node:fs/promises';

/** A process that has ended but is not yet reaped by its parent has ended. */
export async function isAlive(pid: number): Promise<boolean> {
  return (await startedTicks(pid)) !== undefined;
}

/** When it started, in clock ticks since boot: with the pid it names one process for ever, which a pid alone does not. */
export async function startedTicks(pid: number): Promise<string | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  // The second field, the name in brackets, may hold spaces; the state is the first after it, the start time the 20th.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
}

export async function childrenOf(pid: number): Promise<readonly number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  return text.split(' ').filter(Boolean).map(Number);
}
