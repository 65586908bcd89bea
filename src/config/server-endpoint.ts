/** A server of the operator's own configuration: its credentials are read from files, so that they stand in no flag and no log. */
import type { ServerEndpoint } from '#ports/server-endpoint.ts';
import { readErrorText } from './read-error.ts';
import type { ServerAccess } from './server-access.ts';

export type ServerSettings = ServerAccess & { readonly url: string };

/** A file that a setting names is missing or cannot be used; the message names both. */
export class EndpointFileError extends Error {}

/**
 * Reads every file anew: called again, it brings rotated credentials. Throws EndpointFileError.
 * @param name of the settings, such as `prometheus`
 */
export function loadEndpoint(
  name: string,
  settings: ServerSettings,
  readText: (path: string) => string,
): ServerEndpoint {
  const read = (field: string, path: string): string => {
    try {
      return readText(path);
    } catch (error) {
      const words = readErrorText(error);
      throw new EndpointFileError(`${name}.${field} ${path}: ${words}`, { cause: error });
    }
  };
  const line = (field: string, path: string): string => {
    const text = read(field, path).trim();
    if (text !== '' && !/[\r\n\0]/.test(text)) return text;
    const words = text === '' ? 'is empty' : 'has more than one line, which no header may';
    throw new EndpointFileError(`${name}.${field} ${path}: the file ${words}`);
  };
  return {
    url: settings.url,
    headers: { ...headersOf(settings, line), ...authorizationOf(settings, line) },
    tls: tlsOf(settings, read),
  };
}

type ReadFile = (field: string, path: string) => string;

function headersOf({ headers }: ServerSettings, line: ReadFile): Record<string, string> {
  return Object.fromEntries(
    headers.map(({ name, value, valueFile }) => [
      name.toLowerCase(),
      valueFile === undefined ? (value ?? '') : line(`headers (${name}) valueFile`, valueFile),
    ]),
  );
}

function authorizationOf(settings: ServerSettings, line: ReadFile): Record<string, string> {
  const { basicAuth, bearerTokenFile } = settings;
  if (basicAuth !== undefined) {
    const password = line('basicAuth.passwordFile', basicAuth.passwordFile);
    const pair = Buffer.from(`${basicAuth.username}:${password}`).toString('base64');
    return { authorization: `Basic ${pair}` };
  }
  if (bearerTokenFile === undefined) return {};
  return { authorization: `Bearer ${line('bearerTokenFile', bearerTokenFile)}` };
}

function tlsOf({ tls }: ServerSettings, read: ReadFile): ServerEndpoint['tls'] {
  if (tls === undefined) return {};
  const { caFile, certFile, keyFile, serverName, insecureSkipVerify } = tls;
  return {
    ...(caFile === undefined ? {} : { ca: read('tls.caFile', caFile) }),
    ...(certFile === undefined ? {} : { cert: read('tls.certFile', certFile) }),
    ...(keyFile === undefined ? {} : { key: read('tls.keyFile', keyFile) }),
    ...(serverName === undefined ? {} : { serverName }),
    ...(insecureSkipVerify ? { insecureSkipVerify } : {}),
  };
}
