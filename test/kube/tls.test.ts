/** TLS as kubeconfigs ask for it: own authorities, client certificates that rotate, server names and proxies. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type Server } from 'node:https';
import { type AddressInfo, connect as connectTo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { stringify } from 'yaml';
import { Connection } from '#kube/connect.ts';
import { Exchange } from '#kube/exchange.ts';
import { silentLogger } from '#ports/logger.ts';
import { systemClock as clock } from '#runtime/clock.ts';
import { type Certificates, makeCertificates } from '#test/prometheus/certificates.ts';
import { until } from './until.ts';

describe('a connection with TLS', () => {
  let folder: string;
  let first: Certificates;
  let second: Certificates;
  let server: Server;
  let connection: Connection;
  let exchange: Exchange;
  /** The fingerprint of the client certificate of each request. */
  let clients: string[];
  let statuses: number[];
  const sockets = new Set<Socket>();

  before(() => {
    first = makeCertificates();
    second = makeCertificates();
  });

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'genesis-tls-'));
    clients = [];
    statuses = [];
    server = createServer(
      { ...first.server, ca: first.ca, requestCert: true, rejectUnauthorized: false },
      (request, response) => {
        const certificate = (request.socket as TLSSocket).getPeerCertificate();
        clients.push(certificate.fingerprint256 ?? 'none');
        response.writeHead(statuses.shift() ?? 200).end('{}');
      },
    );
    server.on('connection', (socket: Socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const source = { type: 'file', path: join(folder, 'kubeconfig') } as const;
    connection = new Connection({ source, clock, logger: silentLogger, userAgent: 'test' });
    exchange = new Exchange({ connection, clock });
  });

  afterEach(async () => {
    await connection.close();
    server.close();
    server.closeAllConnections();
    await rm(folder, { recursive: true });
  });

  after(() => {
    assert.equal(sockets.size, 0);
  });

  const base64 = (text: string): string => Buffer.from(text).toString('base64');

  async function write(
    certificates: Certificates,
    cluster: object = {},
    user?: object,
  ): Promise<void> {
    const { port } = server.address() as AddressInfo;
    const { cert, key } = certificates.client;
    const inline = { 'client-certificate-data': base64(cert), 'client-key-data': base64(key) };
    await writeFile(
      join(folder, 'kubeconfig'),
      stringify({
        'current-context': 'test',
        contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
        clusters: [
          {
            name: 'test',
            cluster: {
              server: `https://127.0.0.1:${port}`,
              'certificate-authority-data': base64(certificates.ca),
              'tls-server-name': 'prometheus.test',
              ...cluster,
            },
          },
        ],
        users: [{ name: 'test', user: user ?? inline }],
      }),
    );
  }

  const ask = (): Promise<unknown> =>
    exchange.json({ method: 'GET', path: '/api/v1/pods', signals: [] });

  it('trusts the authority of the kubeconfig and shows its certificate', async () => {
    await write(first);
    await ask();
    assert.match(clients[0] ?? '', /^[0-9A-F]{2}(:[0-9A-F]{2}){31}$/);
  });

  it('reads certificates from files beside the kubeconfig', async () => {
    await writeFile(join(folder, 'ca.crt'), first.ca);
    await writeFile(join(folder, 'me.crt'), first.client.cert);
    await writeFile(join(folder, 'me.key'), first.client.key);
    const cluster = { 'certificate-authority': 'ca.crt', 'certificate-authority-data': undefined };
    await write(first, cluster, { 'client-certificate': 'me.crt', 'client-key': 'me.key' });
    await ask();
    assert.notEqual(clients[0], 'none');
  });

  it('goes over to a rotated authority and certificate when it is refused, and lets go of the old', async () => {
    await write(first);
    await ask();
    await write(second);
    server.setSecureContext({ ...second.server, ca: second.ca });
    statuses.push(401);
    await ask();
    assert.equal(clients.length, 3);
    assert.equal(clients[0], clients[1]);
    assert.notEqual(clients[1], clients[2]);
    await until('the old connections are closed', () => sockets.size === 1);
  });

  const refused: readonly (readonly [string, () => Promise<void>, RegExp])[] = [
    ['an authority that is not the kubeconfig', () => write(second), /certificate|signature/],
    ['a name that is not the server', () => write(first, { 'tls-server-name': 'other' }), /other/],
  ];
  for (const [what, prepare, words] of refused) {
    it(`refuses ${what}'s`, async () => {
      await prepare();
      await assert.rejects(ask(), (error: Error) => {
        assert.match(error.message, words);
        return 'fault' in error && error.fault === 'unavailable';
      });
    });
  }

  it('goes without all that if the kubeconfig says so', async () => {
    await write(second, {
      'insecure-skip-tls-verify': true,
      'certificate-authority-data': undefined,
      'tls-server-name': 'other',
    });
    await ask();
    assert.equal(clients.length, 1);
  });

  it('goes through the proxy of the kubeconfig', async () => {
    const tunnels: string[] = [];
    const proxy = createHttpServer();
    proxy.on('connect', (request, client: Socket) => {
      tunnels.push(request.url ?? '');
      const [host = '', port = ''] = (request.url ?? '').split(':');
      const target = connectTo(Number(port), host, () => {
        client.write('HTTP/1.1 200 OK\r\n\r\n');
        client.pipe(target).pipe(client);
      });
      const end = (): void => {
        client.destroy();
        target.destroy();
      };
      for (const socket of [client, target]) socket.on('close', end).on('error', end);
    });
    await new Promise<void>((resolve) => {
      proxy.listen(0, '127.0.0.1', resolve);
    });
    try {
      const { port } = proxy.address() as AddressInfo;
      await write(first, { 'proxy-url': `http://127.0.0.1:${port}` });
      await ask();
      await ask();
      assert.notEqual(clients[0], 'none');
      const { port: serverPort } = server.address() as AddressInfo;
      assert.equal(tunnels[0], `127.0.0.1:${serverPort}`);
      assert.ok(tunnels.length <= 2, tunnels.join());
    } finally {
      await connection.close();
      proxy.close();
      proxy.closeAllConnections();
    }
  });
});
