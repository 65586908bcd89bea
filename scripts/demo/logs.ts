/** Keeps the logs of a failed demo: the parts' own folders go with the parts. */
import { copyFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';

export async function saveLogs(folders: readonly string[], target: string): Promise<void> {
  for (const folder of folders) {
    if (folder === target) continue;
    const names = await readdir(folder).catch(() => []);
    for (const name of names.filter((one) => one.endsWith('.log'))) {
      await copyFile(join(folder, name), join(target, name)).catch(() => undefined);
    }
  }
}
