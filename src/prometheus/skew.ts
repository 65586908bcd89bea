/** How far the server's clock is from ours, from the Date header of its answer. */

/** Our clock around one request: wall-clock and monotonic, ms. */
export interface Span {
  readonly sentAtMs: number;
  readonly receivedAtMs: number;
  /** By the monotonic clock. */
  readonly elapsedMs: number;
}

/** A Date header is cut down to the whole second. */
const RESOLUTION_MS = 1000;

/** Our own clock was set while we waited by more than this: the two cannot be compared. */
const OWN_STEP_MAX_MS = 500;

/**
 * The server's clock minus ours in ms; undefined when it cannot be told.
 *
 * The server read its clock at some moment between sending and receiving, and it showed a time in
 * [date, date + 1 s). So the skew lies in [date − received, date + 1 s − sent]. If 0 lies in there
 * nothing is proved, and the answer is 0; otherwise the middle, which is the request's midpoint.
 */
export function clockSkew(date: string | undefined, span: Span): number | undefined {
  if (date === undefined) return undefined;
  const dateMs = Date.parse(date);
  if (Number.isNaN(dateMs)) return undefined;
  const ownStepMs = span.receivedAtMs - span.sentAtMs - span.elapsedMs;
  if (Math.abs(ownStepMs) > OWN_STEP_MAX_MS) return undefined;
  const lowest = dateMs - span.receivedAtMs;
  const highest = dateMs + RESOLUTION_MS - span.sentAtMs;
  if (lowest <= 0 && highest >= 0) return 0;
  return Math.round((lowest + highest) / 2);
}
