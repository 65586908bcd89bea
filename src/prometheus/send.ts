/** Sends one question over a pool, and once more where the first failure says nothing about the server. */
import type { Dispatcher } from 'undici';
import { type ExchangeResult, postForm } from './exchange.ts';
import { formOf, type Question, refusesThanosFields } from './question.ts';

export type Send = (
  question: Question,
  dispatcher: Dispatcher,
  leftMs: number,
  signal: AbortSignal,
) => Promise<ExchangeResult>;

/** Part of the time left that the server gets: its own words are better than our silence. */
const SERVER_SHARE = 0.9;

export function createSend(responseBytesMax: number): Send {
  /** Targets, by id, that have refused a field they do not know. */
  const withoutThanosFields = new Set<number>();

  return async (question, dispatcher, leftMs, signal) => {
    const { target, path } = question;
    const post = (): Promise<ExchangeResult> => {
      const withThanos = !withoutThanosFields.has(target.id);
      const body = formOf(question, leftMs * SERVER_SHARE, withThanos);
      return postForm(
        dispatcher,
        { path, headers: target.headers, body, responseBytesMax },
        signal,
      );
    };
    const result = await post();
    // The server closed a kept connection just as it was used again.
    if (result.type === 'failed' && result.brokenBeforeAnswer) return post();
    if (result.type === 'answer' && refusesThanosFields(result.status, result.text)) {
      withoutThanosFields.add(target.id);
      return post();
    }
    return result;
  };
}
