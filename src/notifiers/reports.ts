/** The report of a run for the message about its end: it is made just after the end, so it is waited for a little. */
import type { Clock } from '#ports/clock.ts';
import type { KubeObject } from '#ports/cluster.ts';
import type { KeptReport } from '#ports/evidence-store.ts';
import type { Message } from '#ports/notifier.ts';
import { withDeadline } from '#runtime/deadline.ts';

export type ReadReport = (
  rollout: KubeObject,
  runId: string,
  signal: AbortSignal,
) => Promise<Pick<KeptReport, 'markdown' | 'isFinal'> | undefined>;

/** Nobody waits longer for the word that it is over. */
const WAIT_MS = 30_000;
const POLL_MS = 2_000;
const READ_MAX_MS = 5_000;

export function hasReport({ kind, body }: Message): boolean {
  return body === undefined && (kind === 'RollbackFinished' || kind === 'Succeeded');
}

/** The message with the report as its body; as it is where there is none in time. Never rejects. */
export async function withReport(
  message: Message,
  rollout: KubeObject,
  {
    clock,
    readReport,
    stop,
  }: { readonly clock: Clock; readonly readReport: ReadReport; readonly stop: AbortSignal },
): Promise<Message> {
  const untilMs = clock.monotonic() + WAIT_MS;
  let interim: string | undefined;
  try {
    for (;;) {
      const report = await withDeadline(clock, READ_MAX_MS, [stop], (signal) =>
        readReport(rollout, message.runId, signal),
      ).catch(() => undefined);
      if (report?.isFinal === true) return { ...message, body: report.markdown };
      interim = report?.markdown ?? interim;
      if (clock.monotonic() + POLL_MS > untilMs) break;
      await clock.sleep(POLL_MS, stop);
    }
  } catch {
    // The process ends: what waits is kept without the report, and the next one reads it.
  }
  return interim === undefined ? message : { ...message, body: interim };
}
