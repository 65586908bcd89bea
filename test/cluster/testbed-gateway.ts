/** Runs inside the testbed's network namespace: two backends behind the real gateway, one route, and the answers counted. Prints JSON. */
import { once } from 'node:events';
import { createServer, get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

import {
  applyBackendService,
  isInNamespace,
  runInNamespace,
  startControlPlane,
  startGateway,
} from '#scripts/testbed/index.ts';

if (!isInNamespace()) {
  process.exit(await runInNamespace([process.execPath, ...process.argv.slice(1)]));
}

const requests = 1_000;
const host = 'shop.example';

const plane = await startControlPlane();
const gateway = await startGateway({ plane });
await plane.client.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
const servers = [];
for (const [service, address] of [
  ['stable', '192.0.2.21'],
  ['canary', '192.0.2.22'],
] as const) {
  await applyBackendService({
    client: plane.client,
    namespace: 'shop',
    service,
    backends: [{ address, port: 9000 }],
  });
  const server = createServer((_request, response) => response.end(service)).listen(9000, address);
  await once(server, 'listening');
  servers.push(server);
}
const results = [];
for (const canaryWeight of [20, 100, 0]) {
  await applyWeight(canaryWeight);
  await untilInForce(canaryWeight);
  const answers: string[] = [];
  for (let sent = 0; sent < requests; sent += 50) {
    answers.push(...(await Promise.all(Array.from({ length: 50 }, ask))));
  }
  const canary = answers.filter((answer) => answer === 'canary').length;
  const stable = answers.filter((answer) => answer === 'stable').length;
  results.push({ canaryWeight, canary, stable, other: answers.length - canary - stable });
}
for (const server of servers) {
  server.closeAllConnections();
  server.close();
}
await gateway.stop();
await plane.stop();
console.log(JSON.stringify(results));

async function applyWeight(canary: number): Promise<void> {
  await plane.client.apply({
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: 'shop', namespace: 'shop' },
    spec: {
      parentRefs: [gateway.parentRef],
      hostnames: [host],
      rules: [
        {
          backendRefs: [
            { name: 'stable', port: 80, weight: 100 - canary },
            { name: 'canary', port: 80, weight: canary },
          ],
        },
      ],
    },
  });
}

/** The route reaches Envoy in under a second; two rounds in a row of the wanted kinds of answer show that it has. */
async function untilInForce(canary: number): Promise<void> {
  const isWanted = (answer: string) =>
    (answer === 'canary' && canary > 0) || (answer === 'stable' && canary < 100);
  for (let attempt = 0, good = 0; good < 2; attempt += 1) {
    if (attempt === 200)
      throw new Error(`weight ${canary} was not in force after ${attempt} tries`);
    const answers = await Promise.all(Array.from({ length: 50 }, ask));
    good = answers.every(isWanted) ? good + 1 : 0;
    await sleep(50);
  }
}

async function ask(): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  get(gateway.url, { headers: { host } }, (response) => {
    let text = '';
    response.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
    response.on('end', () =>
      resolve(response.statusCode === 200 ? text : `status ${response.statusCode}`),
    );
  }).on('error', (error) => resolve(error.message));
  return await promise;
}
