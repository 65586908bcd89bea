/**
 * Slack: by incoming webhook, or by chat.postMessage with a token.
 * https://api.slack.com/messaging/webhooks, https://api.slack.com/methods/chat.postMessage
 */
import { z } from 'zod';
import type {
  ChannelDefinition,
  Message,
  Notifier,
  ReadSecret,
  SendOutcome,
} from '#ports/notifier.ts';
import { createHttp, type HttpAnswer, outcomeOf, said } from './http.ts';
import { cut } from './text.ts';

type SlackChannel = Extract<ChannelDefinition, { type: 'slack' }>;

/** What Slack takes; more is refused as `invalid_blocks`. */
const HEADER_MAX = 150;
const SECTION_MAX = 3_000;
const FIELD_MAX = 2_000;
const FIELDS_MAX = 10;
const TEXT_MAX = 4_000;

const signs = {
  Critical: ':red_circle:',
  Warning: ':large_orange_circle:',
  Info: ':large_blue_circle:',
} as const;

export function createSlack(definition: SlackChannel, readSecret: ReadSecret): Notifier {
  const http = createHttp(definition, readSecret);
  const { by } = definition;
  return {
    definition,
    close: () => http.close(),
    async send(message, signal) {
      const content = { text: fallback(message), blocks: blocks(message) };
      const headers = { 'content-type': 'application/json; charset=utf-8' };
      if (by.type === 'webhook') {
        const url = await readSecret(by.url, signal);
        return outcomeOf(await http.post({ url, headers, body: JSON.stringify(content) }, signal));
      }
      const token = await readSecret(by.token, signal);
      const body = JSON.stringify({ channel: by.channel, ...content, unfurl_links: false });
      const url = `${by.apiUrl.replace(/\/+$/, '')}/chat.postMessage`;
      const authorized = { ...headers, authorization: `Bearer ${token}` };
      return apiOutcome(await http.post({ url, headers: authorized, body }, signal));
    },
  };
}

function fallback({ title, text }: Message): string {
  return escaped(cut(`${title}: ${text}`, TEXT_MAX));
}

function blocks(message: Message): readonly object[] {
  const { title, text, details, body, runbookUrl, severity, incident, id } = message;
  const sign = incident?.state === 'Closed' ? ':large_green_circle:' : signs[severity];
  const fields = details
    .slice(0, FIELDS_MAX)
    .map(({ label, value }) => markdown(`*${escaped(label)}*\n${escaped(value)}`, FIELD_MAX));
  const by = incident?.acknowledgedBy;
  const context = [
    ...(by === undefined ? [] : [`acknowledged by ${escaped(by)}`]),
    ...(runbookUrl === undefined ? [] : [`<${escaped(runbookUrl)}|runbook>`]),
    `\`${id.slice(0, 12)}\``,
  ];
  return [
    {
      type: 'header',
      text: { type: 'plain_text', text: cut(`${sign} ${title}`, HEADER_MAX), emoji: true },
    },
    { type: 'section', text: markdown(escaped(text), SECTION_MAX) },
    ...(fields.length === 0 ? [] : [{ type: 'section', fields }]),
    ...(body === undefined
      ? []
      : [{ type: 'section', text: markdown(escaped(toMrkdwn(body)), SECTION_MAX) }]),
    { type: 'context', elements: [markdown(context.join(' · '), FIELD_MAX)] },
  ];
}

function markdown(text: string, max: number): { readonly type: 'mrkdwn'; readonly text: string } {
  return { type: 'mrkdwn', text: cut(text === '' ? '–' : text, max) };
}

/** The three letters that mean something to Slack. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Slack has neither headings nor `**`. */
function toMrkdwn(text: string): string {
  return text.replaceAll(/^#+ (.*)$/gm, '*$1*').replaceAll(/\*\*([^*\n]+)\*\*/g, '*$1*');
}

const apiAnswerSchema = z.object({ ok: z.boolean(), error: z.string().optional() });

/** Worth another try; everything else is a matter of settings. https://api.slack.com/methods/chat.postMessage#errors */
const transientErrors: readonly string[] = [
  'ratelimited',
  'rate_limited',
  'message_limit_exceeded',
  'internal_error',
  'fatal_error',
  'service_unavailable',
  'request_timeout',
];

/** The Web API answers 200 also where it refuses. */
function apiOutcome(answer: HttpAnswer): SendOutcome {
  const outcome = outcomeOf(answer);
  if (outcome.type !== 'sent') return outcome;
  const parsed = apiAnswerSchema.safeParse(toJson(answer.text));
  if (!parsed.success) {
    return { type: 'later', message: `an answer that is not Slack's: ${said(answer.text)}` };
  }
  if (parsed.data.ok) return { type: 'sent', answer: '200 ok' };
  const { error = 'no error named' } = parsed.data;
  return { type: transientErrors.includes(error) ? 'later' : 'never', message: error };
}

function toJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
