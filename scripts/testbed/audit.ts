/** Counts requests exactly, from the API server's audit log. */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';

/** The fields of an audit.k8s.io/v1 Event that level Metadata has. */
export interface AuditEvent {
  readonly auditID: string;
  readonly stage: string;
  readonly verb: string;
  readonly requestURI: string;
  readonly user: { readonly username: string };
  readonly userAgent?: string;
  readonly objectRef?: {
    readonly resource?: string;
    readonly subresource?: string;
    readonly namespace?: string;
    readonly name?: string;
    readonly apiGroup?: string;
  };
  readonly responseStatus?: { readonly code: number };
  readonly requestReceivedTimestamp: string;
}

/** One event for each request received at or after `since`, also for watches that still run. The log lags answers by milliseconds. */
export async function readAudit(path: string, since = new Date(0)): Promise<readonly AuditEvent[]> {
  const from = since.getTime();
  // A watch is logged when it starts and when it ends: the later line wins.
  const byId = new Map<string, AuditEvent>();
  for await (const line of createInterface({ input: createReadStream(path) })) {
    const event = parsedLine(line);
    if (event !== undefined && Date.parse(event.requestReceivedTimestamp) >= from)
      byId.set(event.auditID, event);
  }
  return [...byId.values()];
}

/** Requests by whatever key, for instance `({ userAgent, verb }) => `${userAgent} ${verb}``. An undefined key is not counted. */
export function countRequests(
  events: readonly AuditEvent[],
  key: (event: AuditEvent) => string | undefined,
): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const event of events) {
    const name = key(event);
    if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}

/** The last line may be half written. */
function parsedLine(line: string): AuditEvent | undefined {
  try {
    return JSON.parse(line) as AuditEvent;
  } catch {
    return undefined;
  }
}
