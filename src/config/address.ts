/** Where a server listens: `127.0.0.1:8080`, `[::1]:8080`, `:8080` on all addresses, `0` for a free port, `off`. */
import type { ListenAddress } from '#server/server.ts';

export const addressForm = 'HOST:PORT, :PORT, 0 for a free port, or off';

const PORT_MAX = 65_535;
const form = /^(?:(\[[0-9a-fA-F:.%a-z]+\]|[^[\]:\s/]*):)?([0-9]{1,5})$/;

/** @returns undefined when the text is no address */
export function parseAddress(text: string): ListenAddress | undefined {
  if (text === 'off') return { type: 'off' };
  const match = form.exec(text);
  if (match === null) return undefined;
  const [, host = '', digits = ''] = match;
  const port = Number(digits);
  // A bare number but 0 could be meant as a port or as a mistake: `:8080` says which.
  if (port > PORT_MAX || (!text.includes(':') && port !== 0)) return undefined;
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  return { type: 'listen', host: bare === '' ? undefined : bare, port };
}
