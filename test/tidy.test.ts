/**
 * What the house rules say, as tables over the sources: who may import whom, which words and calls stand where,
 * how long a file may be. A rule that is not checked here or by the linter is only an opinion.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { reasons } from '#api/reasons.ts';

const root = join(import.meta.dirname, '..');

interface Layer {
  /** Layers it may import; of those in `types` only types. */
  readonly layers: readonly string[];
  readonly types?: readonly string[];
  readonly packages: readonly string[];
}

/** `api` ← `core` ← everything; adapters know ports, runtime and their own packages, never each other. */
const layers: Readonly<Record<string, Layer>> = {
  api: { layers: [], packages: ['zod'] },
  core: { layers: ['api'], packages: ['croner'] },
  ports: { layers: [], types: ['api', 'core'], packages: [] },
  runtime: { layers: ['ports'], packages: ['ts-retry', 'node:v8'] },
  controller: { layers: ['api', 'core', 'ports', 'runtime'], packages: [] },
  kube: {
    layers: ['api', 'ports', 'runtime'],
    packages: [
      '@kubernetes/client-node',
      'undici',
      'node:crypto',
      'node:events',
      'node:fs',
      'node:http',
      'node:os',
      'node:path',
    ],
  },
  /** Asking one server: connections, deadlines, limits, what fails. For whoever speaks an API over it. */
  transport: { layers: ['ports', 'runtime'], packages: ['undici', 'node:net'] },
  prometheus: {
    layers: ['ports', 'promql', 'runtime', 'transport'],
    types: ['api'],
    packages: ['undici', 'zod', 'node:crypto', 'node:tls'],
  },
  alertmanager: { layers: ['ports', 'promql', 'transport'], packages: ['re2js', 'yaml', 'zod'] },
  /** What a rollout relies on, put together for the wiring and for kubectl genesis. */
  grafana: { layers: ['ports', 'transport'], packages: ['re2js', 'zod'] },
  monitoring: {
    layers: ['ports', 'transport', 'prometheus', 'alertmanager', 'grafana', 'web'],
    packages: [],
  },
  /** Reading PromQL, for whoever checks a query and for whoever answers one. */
  promql: {
    layers: ['api'],
    types: ['core'],
    packages: ['@prometheus-io/lezer-promql', '@lezer/common'],
  },
  /** The engine in virtual time. */
  simulate: { layers: ['api', 'core', 'promql'], packages: ['zod', 'yaml'] },
  /** What people watch a rollout with, made from it: pure. */
  dashboards: { layers: ['api', 'core', 'promql'], types: ['ports'], packages: [] },
  /** kubectl genesis: files, flags and a terminal around what the other folders can do. */
  cli: {
    layers: [
      'api',
      'core',
      'ports',
      'runtime',
      'kube',
      'promql',
      'prometheus',
      'simulate',
      'config',
      'dashboards',
      'monitoring',
      'notifiers',
      'preflight',
    ],
    packages: [
      'yaml',
      'node:crypto',
      'node:dns/promises',
      'node:fs',
      'node:net',
      'node:path',
      'node:util',
    ],
  },
  /** The metric chain, link by link: asks through ports, and says what it has found. */
  preflight: { layers: ['api', 'core', 'promql', 'runtime'], types: ['ports'], packages: [] },
  routers: { layers: ['api', 'ports'], packages: ['zod', 'yaml'] },
  evidence: {
    layers: ['api', 'core', 'ports'],
    packages: ['zod', 'node:fs/promises', 'node:path', 'node:util', 'node:zlib'],
  },
  /** Requests to URLs that users name, for whoever makes them. */
  web: { layers: ['ports', 'runtime'], packages: ['undici', 'node:dns', 'node:net'] },
  probes: { layers: ['ports', 'web'], types: ['core'], packages: [] },
  suites: {
    layers: ['api', 'ports', 'runtime', 'web'],
    types: ['core'],
    packages: ['zod', 'fast-xml-parser', 're2js', 'node:crypto'],
  },
  /** One file a channel; an Alertmanager is told in the words that are also used to ask it. */
  notifiers: {
    layers: ['api', 'core', 'ports', 'runtime', 'alertmanager'],
    packages: ['undici', 'nodemailer', 'zod', 'node:crypto'],
  },
  telemetry: {
    layers: ['ports', 'runtime'],
    types: ['api'],
    packages: ['pino', 'prom-client', 'node:perf_hooks'],
  },
  server: {
    layers: ['ports', 'runtime'],
    packages: ['node:http', 'node:net', 'node:stream', 'node:stream/promises'],
  },
  config: {
    layers: [
      'api',
      'ports',
      'runtime',
      'kube',
      'prometheus',
      'server',
      'telemetry',
      'dashboards',
      'transport',
    ],
    types: ['core'],
    packages: ['zod', 'yaml', 'node:util', 'node:crypto', 'node:os', 'node:fs'],
  },
  /** The files at the top put everything together. */
  wiring: {
    layers: [
      'api',
      'core',
      'ports',
      'runtime',
      'controller',
      'evidence',
      'kube',
      'monitoring',
      'prometheus',
      'promql',
      'web',
      'probes',
      'suites',
      'notifiers',
      'routers',
      'telemetry',
      'server',
      'config',
      'dashboards',
      'preflight',
    ],
    packages: ['node:fs', 'node:crypto'],
  },
};

interface BannedCall {
  readonly pattern: RegExp;
  readonly instead: string;
  readonly allowedIn?: readonly string[];
}

/** In src/, tests apart. */
const bannedCode: readonly BannedCall[] = [
  {
    pattern: /\bDate\.now\b|\bnew Date\(\)|\bperformance\.now\b/,
    instead: 'the Clock port',
    allowedIn: ['src/runtime/clock.ts'],
  },
  {
    pattern: /(?<![.\w])set(?:Timeout|Interval|Immediate)\(|\bAbortSignal\.timeout\(|node:timers/,
    instead: 'the Clock port, or startDeadline',
    allowedIn: ['src/runtime/clock.ts'],
  },
  {
    pattern: /\bprocess\.(?:env|argv)\b/,
    instead: 'a setting of src/config.ts',
    allowedIn: ['src/main.ts', 'src/cli/main.ts'],
  },
  { pattern: /\bprocess\.exit\b/, instead: 'an exit code', allowedIn: ['src/main.ts'] },
  { pattern: /(?<![.\w])console\./, instead: 'the Logger port' },
  { pattern: /(?:await|return|=|\() ?fetch\(/, instead: 'an adapter' },
  {
    pattern: /^\s*(?:export )?(?:const )?enum |^\s*(?:declare )?namespace /,
    instead: 'a const object',
  },
];

interface BannedText {
  readonly pattern: RegExp;
  readonly instead: string;
  readonly prepare?: (text: string) => string;
}

/** Everywhere. */
const bannedText: readonly BannedText[] = [
  {
    pattern: /\bas any\b|: any[,;)>\]]|<any>/,
    instead: 'a schema, or unknown',
    prepare: withoutComments,
  },
  { pattern: /@ts-(?:ignore|expect-error|nocheck)/, instead: 'the right type' },
  { pattern: /(?:oxlint|eslint)-disable|biome-ignore/, instead: 'code that needs no exception' },
  { pattern: /\b(?:TODO|FIXME|XXX|HACK)\b/, instead: 'an issue, or the work itself' },
  { pattern: /\b(?:test|it|describe|suite)\.(?:only|todo|skip)\(/, instead: 'a test that runs' },
];

/** What a name says that says nothing. */
const emptyNames: Readonly<Record<string, string>> = {
  Manager: 'what it does: Controller, Cache, Election',
  Helper: 'the verb it helps with',
  Util: 'the noun it is about',
  Utils: 'the noun it is about',
  Handler: 'the verb: observe, decide, act',
  Processor: 'the verb: observe, decide, act',
  Wrapper: 'what it adds',
  Impl: 'what makes it different: SystemClock, KubeCluster',
  Common: 'the noun it is about',
  Misc: 'the noun it is about',
};

const LINES_MAX = 400;
const MEDIAN_LINES_MAX = 120;

interface Source {
  /** From the root of the repository. */
  readonly path: string;
  readonly text: string;
}

const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
});
const files: readonly Source[] = tracked
  .split('\n')
  .filter((path) => path !== '')
  .flatMap((path) => {
    const text = readIfThere(path);
    return text === undefined ? [] : [{ path, text }];
  });
const isTest = ({ path }: Source) => path.endsWith('.test.ts');
const code = files.filter(({ path }) => path.endsWith('.ts'));
const product = code.filter((file) => file.path.startsWith('src/') && !isTest(file));

/** A file that is deleted but not yet committed is still listed. */
function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(join(root, path), 'utf8');
  } catch {
    return undefined;
  }
}

describe('imports', () => {
  test('every folder of src/ is a layer of the table', () => {
    const unknown = product.map(layerOf).filter((layer) => layers[layer] === undefined);
    assert.deepEqual([...new Set(unknown)], []);
  });

  test('go only where the table of layers allows', () => {
    const wrong = product.flatMap((file) =>
      importsOf(file.text).flatMap((one) => {
        const problem = importProblem(file, one);
        return problem === undefined ? [] : [`${file.path}: ${problem}`];
      }),
    );
    assert.deepEqual(wrong, []);
  });

  test('never climb: `#layer/` between layers, `./` inside a folder', () => {
    const wrong = product.flatMap(({ path, text }) =>
      importsOf(text).flatMap(({ from }) => {
        const climbs = from.startsWith('../');
        const isNeighbour = resolved(from) === dirname(path);
        const says = climbs ? 'use #layer/…' : isNeighbour ? 'use ./…' : undefined;
        return says === undefined ? [] : [`${path}: ${from}: ${says}`];
      }),
    );
    assert.deepEqual(wrong, []);
  });
});

describe('a file of the product', () => {
  test(`has at most ${LINES_MAX} lines`, () => {
    const long = product.filter(({ text }) => lineCount(text) > LINES_MAX);
    assert.deepEqual(
      long.map(({ path, text }) => `${path}: ${lineCount(text)}`),
      [],
    );
  });

  test(`has at most ${MEDIAN_LINES_MAX} lines in the median`, () => {
    const counts = product.map(({ text }) => lineCount(text)).toSorted((a, b) => a - b);
    assert.ok((counts[Math.floor(counts.length / 2)] ?? 0) <= MEDIAN_LINES_MAX);
  });

  test('says first what it is for', () => {
    const silent = product.filter(({ text }) => !/^(?:import [^;]*;\n|\n)*\/\*\*/.test(text));
    assert.deepEqual(
      silent.map(({ path }) => path),
      [],
    );
  });

  for (const { pattern, instead, allowedIn = [] } of bannedCode) {
    test(`has ${instead} in place of ${pattern.source}`, () => {
      assert.deepEqual(
        occurrences(
          product.filter(({ path }) => !allowedIn.includes(path)),
          pattern,
          withoutComments,
        ),
        [],
      );
    });
  }

  test('has names that say something', () => {
    const pattern = new RegExp(
      `\\b(?:class|interface|type) \\w*?(${Object.keys(emptyNames).join('|')})\\b`,
    );
    assert.deepEqual(
      occurrences(product, pattern).map(
        (found) => `${found} — better: ${emptyNames[pattern.exec(found)?.[1] ?? '']}`,
      ),
      [],
    );
    const inPath = product.filter(({ path }) =>
      Object.keys(emptyNames).some((word) => new RegExp(`(?:^|[/-])${word}s?[.-]`, 'i').test(path)),
    );
    assert.deepEqual(
      inPath.map(({ path }) => path),
      [],
    );
  });
});

describe('every file', () => {
  const others = code.filter(({ path }) => path !== 'test/tidy.test.ts');
  for (const { pattern, instead, prepare } of bannedText) {
    test(`has ${instead} in place of ${pattern.source}`, () => {
      assert.deepEqual(occurrences(others, pattern, prepare), []);
    });
  }

  test('speaks of the product alone, not of the machine it was written on', () => {
    const places = [`${root}/`, `${homedir()}/`].filter((place) => place.length > 2);
    const found = files.filter(({ text }) => places.some((place) => text.includes(place)));
    assert.deepEqual(
      found.map(({ path }) => path),
      [],
    );
  });
});

/** That every one in use is declared, `reasons.test.ts` says. */
describe('reasons', () => {
  const declared = new Set<string>(Object.keys(reasons));
  const users = product.filter(({ path }) => path !== 'src/api/v1alpha1/reasons.ts');

  test('are all used', () => {
    const all = users.map(({ text }) => text).join('\n');
    const unused = [...declared].filter((reason) => !all.includes(`'${reason}'`));
    assert.deepEqual(unused, []);
  });

  test('have a sentence each', () => {
    for (const [reason, sentence] of Object.entries(reasons)) {
      assert.match(reason, /^[A-Z][A-Za-z]+$/);
      assert.match(sentence, /\.$/, reason);
    }
  });
});

interface Import {
  readonly from: string;
  readonly isType: boolean;
}

/** Imports and re-exports, over any number of lines. */
function importsOf(text: string): Import[] {
  const found = text.matchAll(/^(?:import|export)\s+(type\s)?([^;'"]*?\bfrom\s+)?'([^']+)'/gm);
  return Array.from(found, ([, type, names = '', from = '']) => ({
    from,
    isType: type !== undefined || isAllTypes(names),
  }));
}

function isAllTypes(names: string): boolean {
  const list = /\{([^}]*)\}/
    .exec(names)?.[1]
    ?.split(',')
    .map((name) => name.trim()) ?? [''];
  return (
    list.filter((name) => name !== '').length > 0 &&
    list.every((name) => name === '' || name.startsWith('type '))
  );
}

function layerOf({ path }: Pick<Source, 'path'>): string {
  const [, folder = '', file] = path.split('/');
  return file === undefined ? (folder === 'config.ts' ? 'config' : 'wiring') : folder;
}

function importProblem(file: Source, { from, isType }: Import): string | undefined {
  const layer = layerOf(file);
  const allowed = layers[layer];
  if (allowed === undefined) return undefined;
  const target = from.startsWith('./')
    ? layerOf({ path: join(dirname(file.path), from) })
    : undefined;
  if (from.startsWith('#') || (target !== undefined && target !== layer)) {
    const named = target ?? from.slice(1, from.indexOf('/'));
    const isAllowed =
      named === layer ||
      allowed.layers.includes(named) ||
      (isType && (allowed.types ?? []).includes(named));
    return isAllowed
      ? undefined
      : `${layer} may not import ${from}${isType ? '' : ', at least not values'}`;
  }
  if (from.startsWith('.') || allowed.packages.includes(from)) return undefined;
  return `${layer} may not import the package ${from}`;
}

/** The folder that `#layer/file.ts` leads to. */
function resolved(from: string): string | undefined {
  const match = /^#([a-z]+)\/(.*)$/.exec(from);
  if (match === null) return undefined;
  const [, layer = '', rest = ''] = match;
  return dirname(join('src', layer === 'api' ? 'api/v1alpha1' : layer, rest));
}

function occurrences(
  where: readonly Source[],
  pattern: RegExp,
  prepare: (text: string) => string = (text) => text,
): string[] {
  return where.flatMap(({ path, text }) =>
    prepare(text)
      .split('\n')
      .flatMap((line, index) =>
        pattern.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : [],
      ),
  );
}

/** Lines stay where they are. */
function withoutComments(text: string): string {
  return text
    .replace(/\/\*[^]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ''))
    .replace(/(^|\s)\/\/.*$/gm, '$1');
}

function lineCount(text: string): number {
  return text.trimEnd().split('\n').length;
}
