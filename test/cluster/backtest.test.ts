/** `kubectl genesis backtest` against a real Prometheus with three days of history in which the service failed twice. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { type Prometheus, startPrometheus } from '#scripts/testbed/index.ts';
import { type Printed, runCli } from '#test/cli/terminal.ts';

const run = promisify(execFile);
const MINUTE = 60_000;
/** A full hour, three days ago. */
const BEGIN_MS = Math.floor(Date.now() / 3_600_000) * 3_600_000 - 72 * 60 * MINUTE;
/** Failing requests: for an hour on the second day, and for three minutes on the third. */
const FAILS = [
  { fromMs: BEGIN_MS + 30 * 60 * MINUTE, toMs: BEGIN_MS + 31 * 60 * MINUTE },
  { fromMs: BEGIN_MS + 50 * 60 * MINUTE, toMs: BEGIN_MS + 50 * 60 * MINUTE + 3 * MINUTE },
];

const rollout = `
kind: GenesisRollout
metadata: {name: checkout, namespace: shop}
spec:
  revision: v2
  traffic:
    stable: {service: old, port: 80}
    canary: {service: new, port: 80}
    routes: [{kind: HTTPRoute, name: web}]
  analysis: {interval: 30s}
  triggers:
  - name: errors
    severity: Critical
    ratio: {bad: 'sum(errors{service="$(arm.service)"})', total: 'sum(requests{service="$(arm.service)"})'}
    condition: "> 1%"
    for: 5m
  - {name: quiet, severity: Critical, query: 'max(errors{service="$(arm.service)"})', condition: "> 90", for: 5m}
`;

let prometheus: Prometheus;
let file: string;

before(async () => {
  prometheus = await startPrometheus();
  await prometheus.stopServer();
  const history = join(prometheus.runFolder, 'history.om');
  await writeFile(history, openMetrics());
  file = join(prometheus.runFolder, 'rollout.yaml');
  await writeFile(file, rollout);
  const data = join(prometheus.runFolder, 'prometheus-data');
  await run(prometheus.promtool, ['tsdb', 'create-blocks-from', 'openmetrics', history, data]);
  await prometheus.startServer();
});
after(() => prometheus.stop());

function openMetrics(): string {
  const rows = { errors: [] as string[], requests: [] as string[] };
  for (let atMs = BEGIN_MS; atMs < BEGIN_MS + 70 * 60 * MINUTE; atMs += 30_000) {
    const isBad = FAILS.some(({ fromMs, toMs }) => atMs >= fromMs && atMs < toMs);
    rows.errors.push(`errors{service="old"} ${isBad ? 4 : 0} ${atMs / 1000}`);
    rows.requests.push(`requests{service="old"} 100 ${atMs / 1000}`);
  }
  return `# TYPE errors gauge\n${rows.errors.join('\n')}\n# TYPE requests gauge\n${rows.requests.join('\n')}\n# EOF\n`;
}

function backtest(...flags: string[]): Promise<Printed> {
  return runCli(
    ['backtest', '-f', file, '--prometheus', prometheus.url, '--window', '3d', ...flags],
    { readText: (path) => (path === file ? rollout : '') },
  );
}

const iso = (atMs: number) => new Date(atMs).toISOString().replace('.000Z', 'Z');

test('says when a trigger would have fired, and how near it came beside', async () => {
  const { code, out, err } = await backtest('-o', 'json');
  assert.equal(err, '');
  const report = JSON.parse(out) as {
    triggers: { name: string; firings: object[]; nearestMiss?: object }[];
  };
  const [errors, quiet] = report.triggers;
  const [long, short] = FAILS.map(({ fromMs, toMs }) => ({
    activeAt: iso(fromMs),
    until: iso(toMs),
  }));
  const value = { value: 0.04, shown: '4%' };
  const fired = {
    ...long,
    firingAt: iso(FAILS[0]!.fromMs + 5 * MINUTE),
    heldSeconds: 3570,
    ...value,
  };
  assert.deepEqual(errors?.firings, [fired]);
  assert.deepEqual(errors?.nearestMiss, { ...short, heldSeconds: 150, ...value });
  assert.deepEqual(quiet?.firings, []);
  assert.equal(code, 1);
});

test('says the same in words, and of canary that there is no history', async () => {
  const words = await backtest();
  assert.match(words.out, /errors \(Critical, > 1% for 5m0s\): would have fired 1 time/);
  assert.match(words.out, /nearest miss: active \S+, held for 2m30s, until \S+: 4% > 1%/);
  const canary = await backtest('--arm', 'canary');
  assert.equal(canary.code, 0);
  assert.match(canary.out, /would not have fired; (\d+) of \1 readings are missing/);
});

test('a Prometheus that cannot be reached is bad input', async () => {
  const { code, err } = await backtest('--prometheus', 'http://127.0.0.1:1');
  assert.equal(code, 2);
  assert.match(err, /^error: errors: .*127\.0\.0\.1:1/);
});
