/** A message as lines of plain text, and pieces of it cut to what a server takes. */
import type { Message } from '#ports/notifier.ts';

/** `max` counts letters as a person does, so that none is cut in two. */
export function cut(text: string, max: number): string {
  if (text.length <= max) return text;
  const letters = Array.from(text);
  return letters.length <= max ? text : `${letters.slice(0, max - 1).join('')}…`;
}

/** Everything a message says but its title. */
export function plainText(message: Message): string {
  const { text, details, body, runbookUrl, incident } = message;
  const facts = [
    ...details,
    ...(incident?.acknowledgedBy === undefined
      ? []
      : [{ label: 'Acknowledged by', value: incident.acknowledgedBy }]),
    ...(runbookUrl === undefined ? [] : [{ label: 'Runbook', value: runbookUrl }]),
  ];
  const lines = facts.map(({ label, value }) => `${label}: ${value}`);
  return [text, lines.join('\n'), body ?? ''].filter((part) => part !== '').join('\n\n');
}
