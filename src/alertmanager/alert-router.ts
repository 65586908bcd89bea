/** One Alertmanager: whether it is well, whom an alert would reach, and a test alert that it is given. */
import { z } from 'zod';
import type { AlertRouter, Told } from '#ports/monitoring-systems.ts';
import type { Reply, Service } from '#transport/service.ts';
import { readRoutes } from './routes.ts';
import { alertsPath, toWire } from './wire.ts';

type Labels = Readonly<Record<string, string>>;

const statusText = z.object({
  config: z.object({ original: z.string() }).optional(),
  versionInfo: z.object({ version: z.string() }),
});

const alertsText = z.array(
  z.object({
    labels: z.record(z.string(), z.string()),
    receivers: z.array(z.object({ name: z.string() })),
  }),
);

/** What vendors who do not show the configuration answer. */
const NOT_SHOWN = new Set([403, 404, 405, 501]);

export function createAlertRouter(service: Service): AlertRouter {
  const status = (signal: AbortSignal) => service.ask({ path: '/api/v2/status' }, signal);
  return {
    url: service.url,
    async health(signal) {
      const read = readReply(service, await status(signal), statusText);
      return read.type === 'told' ? { type: 'told', value: read.value.versionInfo.version } : read;
    },
    async receiversOf(labels, signal) {
      const reply = await status(signal);
      const isShown = reply.type === 'failed' || !NOT_SHOWN.has(reply.status);
      if (!isShown) return cannotTell(reply.refusal.message);
      const read = readReply(service, reply, statusText);
      if (read.type !== 'told') return read;
      const routes = readRoutes(read.value.config?.original ?? '');
      if (routes.type === 'routes') return { type: 'told', value: routes.receiversOf(labels) };
      return cannotTell(service.failed(`shows a configuration that ${routes.words}`).message);
    },
    async post(alert, signal) {
      const reply = await service.ask({ path: alertsPath, body: [toWire(alert)] }, signal);
      if (reply.type === 'failed') return reply;
      return reply.status === 200 ? { type: 'told', value: undefined } : reply.refusal;
    },
    async known(labels, signal) {
      const fields = Object.entries(labels).map(
        ([name, value]) => ['filter', filterOf(name, value)] as const,
      );
      const reply = await service.ask({ path: alertsPath, fields }, signal);
      const read = readReply(service, reply, alertsText);
      if (read.type !== 'told') return read;
      const found = read.value.find((alert) => isSame(alert.labels, labels));
      return { type: 'told', value: found?.receivers.map(({ name }) => name) };
    },
  };
}

function readReply<T>(service: Service, reply: Reply, schema: z.ZodType<T>): Told<T> {
  if (reply.type === 'failed') return reply;
  if (reply.status !== 200) return reply.refusal;
  const read = schema.safeParse(reply.json);
  if (read.success) return { type: 'told', value: read.data };
  return service.failed('does not answer as Alertmanager does; is the url right?');
}

function cannotTell(message: string): Told<never> {
  return { type: 'cannotTell', message };
}

/** As a matcher of the classic syntax where its name allows that, else of the one with quotes. */
function filterOf(name: string, value: string): string {
  if (/^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(name)) return `${name}=${quoted(value)}`;
  return `${quoted(name)}=${quoted(value)}`;
}

function quoted(text: string): string {
  const escaped = text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
  return `"${escaped}"`;
}

/** Alertmanager drops labels that are empty. */
function isSame(found: Labels, wanted: Labels): boolean {
  const kept = Object.entries(wanted).filter(([, value]) => value !== '');
  return (
    Object.keys(found).length === kept.length &&
    kept.every(([name, value]) => found[name] === value)
  );
}
