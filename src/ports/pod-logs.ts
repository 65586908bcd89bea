/** What a container has written, as the API server hands it on from the node. */
import type { ObjectKey } from './cluster.ts';

export interface LogEnd {
  /** At most the last bytes that were asked for. */
  readonly text: string;
  /** False: there is more before it. */
  readonly hasStart: boolean;
  /** False: the log is longer than anybody reads, and what follows is not known. */
  readonly hasEnd: boolean;
}

export interface PodLogs {
  /** The end of a container's log. Rejects with ClusterError, and honours `signal`. */
  podLog(
    pod: ObjectKey,
    container: string,
    options: { readonly bytesMax: number; readonly signal: AbortSignal },
  ): Promise<LogEnd>;
}
