/** What a metric source answers. Answers are values, never exceptions: a failure is an answer too. */

import { assertNever } from './assert.ts';

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

/** Both ends included; every instant is a multiple of the step away from the start. */
export interface QuestionWindow {
  readonly startMs: number;
  readonly endMs: number;
  readonly stepMs: number;
}

export type MetricQuestion =
  | { readonly type: 'instant'; readonly query: string; readonly atMs: number }
  | ({ readonly type: 'range'; readonly query: string } & QuestionWindow);

export interface Probe {
  readonly url: string;
  /** `2xx`: any of them will do. */
  readonly expectStatus: number | '2xx';
}

/** 1 is up, 0 is down. A range is what this process has seen itself: a probe has no other history. */
export type ProbeQuestion =
  | ({ readonly type: 'probe'; readonly atMs: number } & Probe)
  | ({ readonly type: 'probeRange' } & Probe & QuestionWindow);

export type SuiteFigure = 'PassRate' | 'Failed' | 'NewFailures' | 'KnownFlaky';

export interface SuiteFigureOf {
  readonly suite: string;
  readonly of: SuiteFigure;
  /** How long a result stays valid when no next one comes: interval and timeout of the suite. */
  readonly validForMs: number;
}

/** Answered by the core itself from the snapshot, never by the shell. */
export type SuiteQuestion =
  | ({ readonly type: 'suite'; readonly atMs: number } & SuiteFigureOf)
  | ({ readonly type: 'suiteRange' } & SuiteFigureOf & QuestionWindow);

/** What the core wants to know from the shell before it can decide. */
export type Question = MetricQuestion | ProbeQuestion;

/** The same question has the same key, so that an answer is found again. */
export function questionKey(question: Question): string {
  switch (question.type) {
    case 'instant':
      return `i ${question.atMs} ${question.query}`;
    case 'range':
      return `r ${windowKey(question)} ${question.query}`;
    case 'probe':
      return `p ${question.atMs} ${question.expectStatus} ${question.url}`;
    case 'probeRange':
      return `h ${windowKey(question)} ${question.expectStatus} ${question.url}`;
    default:
      return assertNever(question);
  }
}

function windowKey({ startMs, endMs, stepMs }: QuestionWindow): string {
  return `${startMs} ${endMs} ${stepMs}`;
}

/** Looks an answer up; when it is not there yet, notes the question down for the shell to ask. */
export type Ask = (question: Question | SuiteQuestion) => Answer | undefined;
