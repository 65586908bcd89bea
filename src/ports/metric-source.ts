/** Prometheus and what speaks its API. Answers are values, never exceptions: a failure is an answer. */

/** One series' value at one time. `value` may be NaN or infinite: the core decides what that means. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  /** The sample's own time, ms since the epoch. */
  readonly atMs: number;
}

export interface Series {
  readonly labels: Readonly<Record<string, string>>;
  /** Ascending in time; points without data are absent. */
  readonly points: readonly { readonly atMs: number; readonly value: number }[];
}

/** Why no trustworthy answer came. `partial`: some stores did not answer, so absence proves nothing. */
export type QueryFault =
  | 'unreachable'
  | 'timeout'
  | 'refused'
  | 'badQuery'
  | 'partial'
  | 'tooLarge';

export interface FailedAnswer {
  readonly type: 'error';
  readonly fault: QueryFault;
  /** A sentence for a person, with the server's own words where there are any. */
  readonly message: string;
}

export type InstantAnswer =
  | {
      readonly type: 'samples';
      readonly samples: readonly Sample[];
      readonly skewMs: number | undefined;
    }
  | FailedAnswer;

export type RangeAnswer =
  | {
      readonly type: 'series';
      readonly series: readonly Series[];
      readonly skewMs: number | undefined;
    }
  | FailedAnswer;

/** Where to ask, resolved from spec and operator defaults, secrets already read. */
export interface MetricEndpoint {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: {
    readonly ca?: string;
    readonly cert?: string;
    readonly key?: string;
    readonly serverName?: string;
    readonly insecureSkipVerify?: boolean;
  };
}

/**
 * Queries by POST with a deadline. `skewMs` is the server's clock minus ours, from the Date header
 * (one-second resolution); undefined when the header is missing. The same text asked of the same endpoint for the
 * same instant is sent once, however many callers ask.
 */
export interface MetricSource {
  instant(
    endpoint: MetricEndpoint,
    query: string,
    atMs: number,
    signal: AbortSignal,
  ): Promise<InstantAnswer>;
  range(
    endpoint: MetricEndpoint,
    query: string,
    window: { readonly startMs: number; readonly endMs: number; readonly stepMs: number },
    signal: AbortSignal,
  ): Promise<RangeAnswer>;
}
