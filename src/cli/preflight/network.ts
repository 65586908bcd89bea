/** What can be reached from this machine: names that are known here, ports that somebody answers at. */
import { lookup } from 'node:dns/promises';
import { connect } from 'node:net';
import type { Clock } from '#ports/clock.ts';
import { withDeadline } from '#runtime/deadline.ts';

export interface Network {
  /** False when no address is known for the host, or not in time. */
  resolves(host: string, signal: AbortSignal): Promise<boolean>;
  /** Whether a TCP connection can be made. */
  connects(host: string, port: number, signal: AbortSignal): Promise<boolean>;
}

/** Within a data centre, or through a VPN; nobody waits longer to learn that there is no way. */
const LIMIT_MS = 3_000;

export function networkOf(clock: Clock): Network {
  return {
    resolves: (host, signal) => holds(clock, signal, async () => await lookup(bare(host))),
    connects: (host, port, signal) =>
      holds(clock, signal, (stop) => connected(bare(host), port, stop)),
  };
}

/** Whether it can be done in time. Rejects only when the caller's own signal is aborted. */
async function holds(
  clock: Clock,
  signal: AbortSignal,
  work: (stop: AbortSignal) => Promise<unknown>,
): Promise<boolean> {
  try {
    await withDeadline(clock, LIMIT_MS, [signal], work);
    return true;
  } catch (error) {
    if (signal.aborted) throw error;
    return false;
  }
}

async function connected(host: string, port: number, signal: AbortSignal): Promise<void> {
  const socket = connect({ host, port });
  const stop = () => socket.destroy(new Error('stopped'));
  signal.addEventListener('abort', stop, { once: true });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
  } finally {
    signal.removeEventListener('abort', stop);
    socket.destroy();
  }
}

/** An address of IPv6 stands in brackets in a URL. */
function bare(host: string): string {
  return host.replace(/^\[|\]$/g, '');
}
