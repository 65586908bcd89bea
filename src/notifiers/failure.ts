/** What a connection failed of, in words that show no URL: that of a Slack webhook is a secret. */

export function failureText(error: unknown): string {
  // One attempt an address.
  if (error instanceof AggregateError && error.errors.length > 0) {
    return [...new Set(error.errors.map(failureText))].join('; ');
  }
  if (!(error instanceof Error)) return String(error);
  const code: unknown = Reflect.get(error, 'code');
  const words = error.message || (typeof code === 'string' ? code : error.name);
  const isTold = typeof code !== 'string' || words.includes(code);
  return isTold ? words : `${words} (${code})`;
}

/** Takes secrets out of a text, however they got there. */
export function withoutSecrets(text: string, secrets: Iterable<string>): string {
  let clean = text;
  for (const secret of secrets) {
    // A short one would take harmless words out too, and is no secret.
    if (secret.length >= SECRET_LENGTH_MIN) clean = clean.replaceAll(secret, '***');
  }
  return clean;
}

const SECRET_LENGTH_MIN = 6;
