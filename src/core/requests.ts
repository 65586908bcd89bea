/**
 * `genesis.dev/request: "<verb> <token>"`, for tools that can only annotate. Each token is honoured once;
 * it never counts as an approval.
 */

export const requestVerbs = ['pause', 'resume', 'promote', 'abort', 'retry'] as const;
export type RequestVerb = (typeof requestVerbs)[number];

export type Request =
  | { readonly type: 'request'; readonly verb: RequestVerb; readonly token: string }
  | { readonly type: 'invalid'; readonly message: string };

/** What is remembered of a text that was refused: no token has a blank in it. */
export function refusalToken(text: string): string {
  return `refused ${text.slice(0, 100)}`;
}

/** @returns undefined when nothing is asked, or this text has been answered already */
export function pendingRequest(
  text: string | undefined,
  lastToken: string | undefined,
): Request | undefined {
  if (text === undefined) return undefined;
  const [word = '', token = '', ...rest] = text.trim().split(/\s+/);
  const verb = requestVerbs.find((known) => known === word);
  if (verb === undefined || token === '' || rest.length > 0) {
    if (lastToken === refusalToken(text)) return undefined;
    const message = `genesis.dev/request ${JSON.stringify(text.slice(0, 100))} is not "<verb> <token>"; verbs are ${requestVerbs.join(', ')}`;
    return { type: 'invalid', message };
  }
  return token === lastToken ? undefined : { type: 'request', verb, token };
}
