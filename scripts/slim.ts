/**
 * Leaves out of a bundle what the program cannot reach. Every byte of source costs memory in the running process:
 * it is kept as text, parsed, and what it sets up at the start is never let go.
 */
import { join } from 'node:path';
import type { Plugin } from 'esbuild';

/** Packages whose files do nothing when they are merely imported, though their package.json does not say so. */
const PURE = /^(?:@kubernetes\/client-node|jsonpath-plus)$/;

/**
 * undici's index loads fetch, WebSocket, caches and mocks. Of all that the controller and client-node's KubeConfig use
 * three dispatchers, with the methods that the index adds to them, and `request` over a dispatcher of the caller's. Whoever
 * comes to need more of undici is told by the build, and adds it here.
 */
const UNDICI = `
import Agent from 'undici/lib/dispatcher/agent.js';
import Dispatcher from 'undici/lib/dispatcher/dispatcher.js';
import Pool from 'undici/lib/dispatcher/pool.js';
import ProxyAgent from 'undici/lib/dispatcher/proxy-agent.js';
import api from 'undici/lib/api/index.js';
Object.assign(Dispatcher.prototype, api);
export function request(url, { dispatcher, ...options }) {
  const { origin, pathname, search } = new URL(url);
  return dispatcher.request({ method: 'GET', ...options, origin, path: pathname + search });
}
export { Agent, Dispatcher, Pool, ProxyAgent };
`;
/** Asked for by parts of client-node that are left out; here only so that their import resolves. */
const UNREACHED = ['fetch', 'FormData', 'File', 'Headers', 'Request', 'Response'];

/**
 * Of client-node only KubeConfig is used, whose file also knows how to make clients of the generated API. Where a
 * bundle loads a part of itself late, esbuild keeps whole files: so the generated ones are left out by name.
 */
const CLIENT_NODE = `export { KubeConfig } from '@kubernetes/client-node/dist/config.js';`;
const GENERATED =
  'export const createConfiguration = undefined; export class ServerConfiguration {}';

export const slim: Plugin = {
  name: 'slim',
  setup(build) {
    build.onResolve({ filter: /^@kubernetes\/client-node$/ }, () => ({
      path: 'client-node',
      namespace: 'slim-client',
    }));
    build.onLoad({ filter: /.*/, namespace: 'slim-client' }, ({ path }) => ({
      contents: path === 'client-node' ? CLIENT_NODE : GENERATED,
      resolveDir: import.meta.dirname,
    }));
    build.onResolve({ filter: /^@kubernetes\/client-node\/dist\/config\.js$/ }, () => ({
      path: join(import.meta.dirname, '../node_modules/@kubernetes/client-node/dist/config.js'),
      sideEffects: false,
    }));
    build.onResolve({ filter: /^\.\/gen\/index\.js$/ }, ({ importer }) =>
      importer.endsWith('client-node/dist/config.js')
        ? { path: 'generated', namespace: 'slim-client' }
        : undefined,
    );
    // Messages of zod in every language; ours are sentences of our own, and where one is missing English will do.
    build.onLoad({ filter: /zod\/v4\/locales\/index\.js$/ }, () => ({
      contents: `export { default as en } from './en.js';`,
    }));
    build.onResolve({ filter: PURE }, async ({ path, pluginData, ...rest }) => {
      if (pluginData === 'resolved') return undefined;
      const found = await build.resolve(path, { ...rest, pluginData: 'resolved' });
      return { path: found.path, sideEffects: false };
    });
    build.onResolve({ filter: /^\.\.?\// }, async ({ path, pluginData, ...rest }) => {
      if (pluginData === 'resolved' || !/client-node\/dist/.test(rest.importer)) return undefined;
      const found = await build.resolve(path, { ...rest, pluginData: 'resolved' });
      return { path: found.path, sideEffects: false };
    });
    build.onResolve({ filter: /^undici$/ }, () => ({ path: 'undici', namespace: 'slim' }));
    build.onLoad({ filter: /.*/, namespace: 'slim' }, () => ({
      contents: UNDICI + UNREACHED.map((name) => `export const ${name} = undefined;`).join('\n'),
      resolveDir: import.meta.dirname,
    }));
  },
};
