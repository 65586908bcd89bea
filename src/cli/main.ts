/** `kubectl genesis`: the command line. It only chooses the command; each command is loaded when it is called. */
import { readFileSync, writeFileSync } from 'node:fs';
import { version } from '#config/version.ts';
import { systemClock } from '#runtime/clock.ts';
import { runCommand } from './run-command.ts';

const { env, stdout } = process;
const interruption = new AbortController();
process.once('SIGINT', () => interruption.abort(new Error('interrupted')));
// Whoever reads us may have read enough: `kubectl genesis get | head -1`.
stdout.on('error', (error) => interruption.abort(error));

process.exitCode = await runCommand(process.argv.slice(2), {
  readText: (path) => readFileSync(path, 'utf8'),
  writeText: (path, text) => writeFileSync(path, text),
  out: (text) => {
    stdout.write(text);
  },
  err: (text) => {
    process.stderr.write(text);
  },
  env,
  isTty: stdout.isTTY,
  // A window may be made larger while it is written to.
  get columns() {
    return stdout.columns;
  },
  get rows() {
    return stdout.rows;
  },
  clock: systemClock,
  interrupted: interruption.signal,
  connect: async (options) => {
    const { openKubectlClient } = await import('#kube/kubectl-client.ts');
    return openKubectlClient({ ...options, env, clock: systemClock, version });
  },
});
