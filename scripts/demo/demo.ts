/** The whole demo, once everything it needs is there: the world, the customers, the controller, the runs, the summary. */
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';

import { systemClock } from '#runtime/clock.ts';
import type { RunFolder } from '#scripts/testbed/index.ts';
import { type ControllerProcess, startController } from './controller.ts';
import { type Load, startLoad } from './load.ts';
import { saveLogs } from './logs.ts';
import { type Colour, hostname, routeObject, serviceOf } from './objects.ts';
import type { Paint } from './paint.ts';
import { type DemoPlan, durationText } from './plan.ts';
import { carryOut, type RunOptions } from './run.ts';
import type { Screen } from './screen.ts';
import type { RunSummary } from './summary.ts';
import { renderSummary } from './summary-text.ts';
import type { World } from './world.ts';

export interface DemoOptions {
  readonly runs: readonly (1 | 2)[];
  readonly plan: DemoPlan;
  readonly json: string | undefined;
  readonly createWorld: () => Promise<World>;
  /** Whether everything goes on running at the end, until an interruption. */
  readonly keep: boolean;
  readonly folder: RunFolder;
  readonly screen: Screen;
  readonly paint: Paint;
  readonly signal: AbortSignal;
}

/** Everything that was started, so that it is stopped in order whatever happens. */
interface Running {
  world?: World;
  load?: Load;
  controller?: ControllerProcess;
}

/** Resolves with whether everything came as promised. */
export async function runDemo(options: DemoOptions): Promise<boolean> {
  const running: Running = {};
  try {
    const summaries = await perform(options, running);
    const passed = summaries.every(({ expectations }) => expectations.every((one) => one.passed));
    options.screen.say('');
    for (const text of renderSummary(summaries, options.paint)) options.screen.say(text);
    if (options.json !== undefined) await writeJson(options.json, options.plan, summaries);
    if (!passed) await keepLogs(options, running);
    if (options.keep) await linger(options, running);
    return passed;
  } catch (error) {
    if (!options.signal.aborted) await keepLogs(options, running);
    throw error;
  } finally {
    await stop(running);
  }
}

async function perform(options: DemoOptions, running: Running): Promise<RunSummary[]> {
  const { plan, screen, signal, folder } = options;
  const world = await options.createWorld();
  running.world = world;
  const casts = castRuns(options.runs);
  screen.say('starting checkout v1, its route and its customers');
  await world.deploy('blue', 'v1');
  const [first] = casts;
  if (first !== undefined) await world.deploy(first.roles.canary, first.version);
  running.load = await openShop(world, plan, signal);
  screen.say('starting the controller: node dist/controller.mjs');
  running.controller = await startController({
    kubeconfig: world.kubeconfigPath,
    namespace: world.namespace,
    prometheusUrl: world.prometheusUrl,
    runFolder: folder.path,
    signal,
  });
  const { controller, load } = running;
  const summaries: RunSummary[] = [];
  for (const cast of casts) {
    if (cast !== first) await world.deploy(cast.roles.canary, cast.version);
    summaries.push(await carryOut(cast, { world, controller, load, plan, screen, signal }));
  }
  return summaries;
}

/** Who plays what: each run is for the version after the last, behind the colour that does not serve. */
function castRuns(runs: readonly (1 | 2)[]): RunOptions[] {
  let serving: Colour = 'blue';
  let version = 1;
  return runs.map((number, index) => {
    const canary: Colour = serving === 'blue' ? 'green' : 'blue';
    const roles = { stable: serving, canary };
    const [before, next] = [`v${version}`, `v${version + 1}`];
    const what = number === 1 ? 'a good version' : 'a version that begins to fail at 50%';
    const fails = number === 2;
    if (!fails) serving = canary;
    version += 1;
    return {
      number,
      title: `Run ${index + 1} of ${runs.length}: ${what}. ${serviceOf(roles.stable)} has ${before}, ${serviceOf(canary)} has ${next}`,
      version: next,
      roles,
      expected: fails ? 'RolledBack' : 'Succeeded',
      fails,
    };
  });
}

/** The route, and customers who are served and counted. */
async function openShop(world: World, plan: DemoPlan, signal: AbortSignal): Promise<Load> {
  const { client, namespace, gateway } = world;
  await client.apply(routeObject({ namespace, gateway: gateway.parentRef, serving: 'blue' }));
  const load = startLoad({
    url: gateway.url,
    hostname,
    requestsPerSecond: plan.requestsPerSecond,
  });
  try {
    await untilServed(load, gateway.url, signal);
    await untilMeasured(world, plan, signal);
    return load;
  } catch (error) {
    await load.stop();
    throw error;
  }
}

const pollEveryMs = 200;
const servedWithinMs = 30_000;
const goodAnswersInARow = 100;

async function untilServed(load: Load, url: string, signal: AbortSignal): Promise<void> {
  const deadlineMs = systemClock.monotonic() + servedWithinMs;
  for (;;) {
    const last = load.responses.slice(-goodAnswersInARow);
    const isServed = last.every(({ status, version }) => status === 200 && version === 'v1');
    if (isServed && last.length === goodAnswersInARow) return;
    if (systemClock.monotonic() > deadlineMs) {
      const said = last.map(({ status }) => (status === 0 ? 'no answer' : `status ${status}`));
      throw new Error(
        `customers at ${url} with host ${hostname} are not served by v1 within ${servedWithinMs / 1_000} s; the last answers: ${[...new Set(said)].join(', ')}`,
      );
    }
    await systemClock.sleep(pollEveryMs, signal);
  }
}

/** Preflight proves the chain of metrics on stable; before that there is nothing to prove it with. */
async function untilMeasured(world: World, plan: DemoPlan, signal: AbortSignal): Promise<void> {
  const { prometheusUrl, namespace } = world;
  const labels = `namespace="${namespace}",service="${serviceOf('blue')}"`;
  const query = `sum(rate(http_requests_total{${labels}}[${durationText(plan.windowMs)}])) > 0`;
  const withinMs = 20_000 + 4 * plan.windowMs;
  const deadlineMs = systemClock.monotonic() + withinMs;
  while (!(await hasAnswer(prometheusUrl, query))) {
    if (systemClock.monotonic() > deadlineMs) {
      throw new Error(
        `Prometheus at ${prometheusUrl} has no answer to ${query} after ${withinMs / 1_000} s; does it scrape the service's pods?`,
      );
    }
    await systemClock.sleep(pollEveryMs, signal);
  }
}

async function hasAnswer(prometheusUrl: string, query: string): Promise<boolean> {
  const response = await fetch(`${prometheusUrl}/api/v1/query`, {
    method: 'POST',
    body: new URLSearchParams({ query }),
    signal: AbortSignal.timeout(5_000),
  });
  const { data } = (await response.json()) as { data?: { result?: readonly unknown[] } };
  return (data?.result ?? []).length > 0;
}

/** Resolves when the person has seen enough. */
async function linger(
  { folder, screen, signal }: DemoOptions,
  { world, load }: Running,
): Promise<void> {
  if (world === undefined || load === undefined || signal.aborted) return;
  load.stopCounting();
  screen.say('');
  screen.say(
    'everything goes on running, customers included; Ctrl-C stops it. In another terminal:',
  );
  for (const text of world.howToLook) screen.say(text);
  screen.say(`logs of the controller and the service: ${folder.path}`);
  await once(signal, 'abort');
}

async function writeJson(file: string, plan: DemoPlan, runs: readonly RunSummary[]): Promise<void> {
  const passed = runs.every(({ expectations }) => expectations.every((one) => one.passed));
  await writeFile(file, `${JSON.stringify({ passed, plan, runs }, null, 2)}\n`);
}

async function keepLogs({ folder, screen }: DemoOptions, { world }: Running): Promise<void> {
  await saveLogs(world?.logFolders ?? [], folder.path);
  folder.keep();
  screen.say(`logs of all parts are in ${folder.path}`);
}

/** Customers leave before the service closes. */
async function stop({ world, load, controller }: Running): Promise<void> {
  await load?.stop();
  await world?.leave();
  await controller?.stop();
  await world?.stop();
}
