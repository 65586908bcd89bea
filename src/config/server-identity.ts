/** How a server is known, whatever is asked of it: fields that every block named `tls` has. */
import { z } from 'zod';

export const serverIdentity = {
  serverName: z
    .string()
    .min(1)
    .describe("The name that the server's certificate must have.")
    .optional(),
  insecureSkipVerify: z
    .boolean()
    .default(false)
    .describe('Accepts any certificate. For tests only.'),
};
