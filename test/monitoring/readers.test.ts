/** Alertmanager and Grafana over TLS, and the dashboards that we ship as they are read back. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { createReaders } from '#monitoring/readers.ts';
import type { ServerEndpoint } from '#ports/server-endpoint.ts';
import { checkPromql } from '#promql/check.ts';
import { systemClock } from '#runtime/clock.ts';
import { makeCertificates } from '#test/prometheus/certificates.ts';
import { json, startFakePrometheus as startFakeServer } from '#test/prometheus/fake-prometheus.ts';
import { endpointOf, forever } from '#test/prometheus/source.ts';
import { startStubGrafana, stubDatasource } from '#test/stub-grafana.ts';

const limits = { clock: systemClock, timeoutMs: 30_000, responseBytesMax: 1_000_000 };

describe('over TLS', () => {
  const { ca, server, client } = makeCertificates();
  const well = json({ database: 'ok', version: '1', versionInfo: { version: '1' } });

  async function health(tls: ServerEndpoint['tls']) {
    const options = { ...server, ca, requestCert: true, rejectUnauthorized: true };
    await using fake = await startFakeServer({ tls: options, respond: () => well });
    const readers = createReaders(limits);
    const endpoint = endpointOf(fake.url, { tls });
    const told = await Promise.all([
      readers.alertRouter(endpoint).health(forever),
      readers.dashboards(endpoint).health(forever),
    ]);
    await readers.close();
    return told;
  }

  test('they are asked with the authority, the name and the client certificate', async () => {
    for (const told of await health({ ca, serverName: 'prometheus.test', ...client })) {
      assert.deepEqual(told, { type: 'told', value: '1' });
    }
  });

  test('and not without the authority', async () => {
    const [alertmanager, grafana] = await health({ serverName: 'prometheus.test', ...client });
    assert.ok(alertmanager?.type === 'failed' && grafana?.type === 'failed');
    const words = /shows a certificate that is not accepted .*check tls\.ca and tls\.serverName$/;
    assert.match(alertmanager.message, /^Alertmanager at https:/);
    assert.match(alertmanager.message, words);
    assert.match(grafana.message, words);
  });
});

describe('a dashboard that we ship is read whole:', () => {
  const files = globSync('deploy/{packs/genesis,mixin}/dashboards/*.json');
  assert.ok(files.length >= 2);

  for (const file of files) {
    test(file, async () => {
      const model: { uid: string; panels: { type: string }[] } = JSON.parse(
        readFileSync(file, 'utf8'),
      );
      const { uid } = model;
      const grafana = await startStubGrafana({
        prometheusUrl: 'http://127.0.0.1:9',
        dashboards: { [uid]: model },
      });
      const readers = createReaders(limits);
      try {
        const told = await readers.dashboards(endpointOf(grafana.url)).dashboard(uid, forever);
        assert.ok(told.type === 'told' && told.value !== undefined, JSON.stringify(told));
        const { panels } = told.value;
        const isRow = ({ type }: { type: string }) => type === 'row' || type === 'text';
        assert.equal(panels.length, model.panels.filter((panel) => !isRow(panel)).length);
        for (const { body } of panels.flatMap(({ queries }) => queries)) {
          const datasource = { uid: stubDatasource.uid, type: 'prometheus' };
          assert.deepEqual(body['datasource'], datasource);
          const own = String(body['expr']).replaceAll(/\$\{?__\w+\}?/g, '5m');
          assert.doesNotMatch(own, /\$/);
          const checked = checkPromql(own);
          assert.equal(checked.type, 'ok', `${own}: ${JSON.stringify(checked)}`);
        }
      } finally {
        await readers.close();
        grafana.stop();
      }
    });
  }
});
