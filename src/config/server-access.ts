/** Where a server is that the operator asks, and how it makes itself known there: credentials stand in files. */
import { z } from 'zod';
import { parseServerUrl } from '#transport/url.ts';
import { file } from './scalars.ts';
import { serverIdentity } from './server-identity.ts';

/**
 * Checked as the client will, in words that show no password.
 * @param access the field that holds its credentials
 */
export const serverUrl = (access: string) =>
  z.string().superRefine((value, context) => {
    const parsed = parseServerUrl(value);
    if (parsed.type === 'ok') return;
    const hasPassword = URL.canParse(value) && new URL(value).username !== '';
    const message = hasPassword
      ? `it contains a user or password; set ${access}.basicAuth in the file of --config instead`
      : parsed.message;
    context.addIssue({ code: 'custom', message });
  });

const header = z
  .strictObject({
    name: z
      .string()
      .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/)
      .describe('The name of the header.'),
    value: z.string().describe('Its value.').optional(),
    valueFile: file('A file with its value.').optional(),
  })
  .refine(({ value, valueFile }) => (value === undefined) !== (valueFile === undefined), {
    message: 'set exactly one of value, valueFile',
  });

export const serverAccess = () =>
  z
    .strictObject({
      headers: z
        .array(header)
        .max(16)
        .default([])
        .describe('Sent with every request: `{name, value}` or `{name, valueFile}`.'),
      basicAuth: z
        .strictObject({
          username: z.string().min(1).describe('The user name.'),
          passwordFile: file('A file with the password.'),
        })
        .optional(),
      bearerTokenFile: file('A file with the bearer token.').optional(),
      tls: z
        .strictObject({
          caFile: file("The certificate authority of the server's certificate, PEM.").optional(),
          certFile: file('The client certificate, PEM.').optional(),
          keyFile: file('The key of the client certificate, PEM.').optional(),
          ...serverIdentity,
        })
        .refine(({ certFile, keyFile }) => (certFile === undefined) === (keyFile === undefined), {
          message: 'certFile and keyFile go together; only one of them is set',
        })
        .optional(),
    })
    .refine(({ basicAuth, bearerTokenFile }) => !basicAuth || bearerTokenFile === undefined, {
      message: 'set at most one of basicAuth, bearerTokenFile; both are set',
    });

export type ServerAccess = z.output<ReturnType<typeof serverAccess>>;
