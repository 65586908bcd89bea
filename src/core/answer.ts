/** What a metric source answers. Answers are values, never exceptions: a failure is an answer too. */

/** One series' value at one time. `value` may be NaN or infinite: `reading.ts` decides what that means. */
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
      /** The server's clock minus ours in ms; undefined when it did not say. */
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

export type Answer = InstantAnswer | RangeAnswer;

/** What the core wants to know before it can decide. */
export type Question =
  | { readonly type: 'instant'; readonly query: string; readonly atMs: number }
  | {
      readonly type: 'range';
      readonly query: string;
      readonly startMs: number;
      readonly endMs: number;
      readonly stepMs: number;
    };

/** The same question has the same key, so that an answer is found again. */
export function questionKey(question: Question): string {
  return question.type === 'instant'
    ? `i ${question.atMs} ${question.query}`
    : `r ${question.startMs} ${question.endMs} ${question.stepMs} ${question.query}`;
}

/** Looks an answer up; when it is not there yet, notes the question down for the shell to ask. */
export type Ask = (question: Question) => Answer | undefined;
