/** Sends one question over a pool, and once more where the first failure says nothing about the server. */
import type { Dispatcher } from 'undici';
import { type ExchangeResult, sendRequest } from '#transport/exchange.ts';
import { formOf, type Question, refusesThanosFields } from './question.ts';

export type Send = (
  question: Question,
  dispatcher: Dispatcher,
  leftMs: number,
  signal: AbortSignal,
) => Promise<ExchangeResult>;

const FORM = 'application/x-www-form-urlencoded';

/** Part of the time left that the server gets: its own words are better than our silence. */
const SERVER_SHARE = 0.9;

export function createSend(responseBytesMax: number): Send {
  /** Targets, by id, that have refused a field they do not know. */
  const withoutThanosFields = new Set<number>();

  return async (question, dispatcher, leftMs, signal) => {
    const { target, path } = question;
    const list = (): Promise<ExchangeResult> => {
      const { headers } = target;
      const request = { method: 'GET', path, headers, body: null, responseBytesMax } as const;
      return sendRequest(dispatcher, request, signal);
    };
    const post = (): Promise<ExchangeResult> => {
      const withThanos = !withoutThanosFields.has(target.id);
      const body = formOf(question, leftMs * SERVER_SHARE, withThanos);
      const headers = { ...target.headers, 'content-type': FORM };
      const request = { method: 'POST', path, headers, body, responseBytesMax } as const;
      return sendRequest(dispatcher, request, signal);
    };
    const ask = question.kind === 'list' ? list : post;
    const result = await ask();
    // The server closed a kept connection just as it was used again.
    if (result.type === 'failed' && result.brokenBeforeAnswer) return ask();
    if (question.kind === 'list') return result;
    if (result.type === 'answer' && refusesThanosFields(result.status, result.text)) {
      withoutThanosFields.add(target.id);
      return post();
    }
    return result;
  };
}
