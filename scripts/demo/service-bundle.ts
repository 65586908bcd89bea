/** service.ts with prom-client, as one file. Node 20 is enough for it. */
import { join } from 'node:path';

import { build } from 'esbuild';

export async function bundleService(): Promise<string> {
  const { outputFiles } = await build({
    stdin: {
      contents: `import { runSampleService } from './service.ts';\nawait runSampleService(process.argv.slice(2));`,
      resolveDir: import.meta.dirname,
      loader: 'ts',
    },
    // It is started by the line above, on a Node too old to know this.
    define: { 'import.meta.main': 'false' },
    tsconfigRaw: {},
    absWorkingDir: join(import.meta.dirname, '../..'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    minify: true,
    write: false,
    banner: {
      js: `import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);`,
    },
  });
  return outputFiles[0]?.text ?? '';
}
