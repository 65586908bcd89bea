/** A real Alertmanager, with one receiver that posts to a webhook, or as it is configured. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { type BuildOptions, toolPath } from './build.ts';
import { startPart, withFreePorts } from './part.ts';
import { createRunFolder, keepOrRemove } from './run-folder.ts';

export interface AlertmanagerOptions extends BuildOptions {
  /** Where alerts are sent on; without it nobody is told. */
  readonly webhookUrl?: string;
  /** A whole configuration in place of that. */
  readonly config?: object;
}

export interface Alertmanager {
  readonly url: string;
  stop(): Promise<void>;
}

export async function startAlertmanager(options: AlertmanagerOptions = {}): Promise<Alertmanager> {
  const command = await toolPath('alertmanager', options);
  const folder = await createRunFolder();
  const configFile = join(folder.path, 'alertmanager.yaml');
  await writeFile(configFile, configText(options));
  try {
    const { url, part } = await withFreePorts(1, async ([port = 0]) => {
      const address = `127.0.0.1:${port}`;
      const started = await startPart({
        name: 'alertmanager',
        command,
        args: [
          `--config.file=${configFile}`,
          `--storage.path=${join(folder.path, 'alertmanager-data')}`,
          `--web.listen-address=${address}`,
          // Alone: no gossip.
          '--cluster.listen-address=',
        ],
        runFolder: folder.path,
        isReady: async (signal) => (await fetch(`http://${address}/-/ready`, { signal })).ok,
        ...(options.signal === undefined ? {} : { signal: options.signal }),
      });
      return { url: `http://${address}`, part: started };
    });
    return {
      url,
      stop: async () => {
        await part.stop({ killAfterMs: 1_000 });
        await folder.remove();
      },
    };
  } catch (error) {
    await keepOrRemove(folder, options.signal);
    throw error;
  }
}

function configText({ webhookUrl, config }: AlertmanagerOptions): string {
  if (config !== undefined) return stringify(config);
  const webhooks = webhookUrl === undefined ? [] : [{ url: webhookUrl, send_resolved: true }];
  return stringify({
    route: { receiver: 'people', group_wait: '100ms', group_interval: '1s', group_by: ['...'] },
    receivers: [{ name: 'people', webhook_configs: webhooks }],
  });
}
