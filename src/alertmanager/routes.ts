/** Where an alert goes: the tree of routes as Alertmanager has it loaded, walked as Alertmanager walks it. */
import { parse } from 'yaml';
import { z } from 'zod';
import type { AlertReceiver } from '#ports/monitoring-systems.ts';
import { allMatch, type Matcher, matcherOf, parseMatchers } from './matchers.ts';

type Labels = Readonly<Record<string, string>>;

export interface Route {
  /** Its own or the next above it that has one. */
  readonly receiver: string;
  readonly matchers: readonly Matcher[];
  readonly continues: boolean;
  readonly children: readonly Route[];
}

export type RoutesResult =
  | { readonly type: 'routes'; readonly receiversOf: (labels: Labels) => readonly AlertReceiver[] }
  /** The rest of a sentence that begins with the configuration. */
  | { readonly type: 'unreadable'; readonly words: string };

interface RouteText {
  readonly receiver?: string | undefined;
  readonly match?: Labels | null | undefined;
  readonly match_re?: Labels | null | undefined;
  readonly matchers?: readonly string[] | null | undefined;
  readonly continue?: string | undefined;
  readonly routes?: readonly RouteText[] | null | undefined;
}

const labels = z.record(z.string(), z.string()).nullish();

const routeText: z.ZodType<RouteText> = z.object({
  receiver: z.string().optional(),
  match: labels,
  match_re: labels,
  matchers: z.array(z.string()).nullish(),
  continue: z.string().optional(),
  get routes() {
    return z.array(routeText).nullish();
  },
});

const configText = z.object({
  route: routeText,
  receivers: z.array(z.looseObject({ name: z.string() })),
});

class UnreadableRoute extends Error {}

/** @param config YAML, as Alertmanager shows it: secrets are not in it */
export function readRoutes(config: string): RoutesResult {
  const read = configText.safeParse(parseYaml(config));
  if (!read.success) return { type: 'unreadable', words: 'has no route and receivers' };
  const { receivers, route } = read.data;
  try {
    const root = toRoute(route, '');
    const reaching = new Map(receivers.map((one) => [one.name, hasIntegration(one)]));
    return {
      type: 'routes',
      receiversOf: (given) => {
        const names = new Set(matching(root, given).map(({ receiver }) => receiver));
        return [...names].map((name) => ({ name, reachesSomebody: reaching.get(name) ?? false }));
      },
    };
  } catch (error) {
    if (!(error instanceof UnreadableRoute)) throw error;
    return { type: 'unreadable', words: error.message };
  }
}

/** Every scalar as the text it is: a label's value `1` or `on` is no number and no truth. */
function parseYaml(text: string): unknown {
  try {
    return parse(text, { schema: 'failsafe' });
  } catch {
    return undefined;
  }
}

function toRoute(text: RouteText, inherited: string): Route {
  const receiver = text.receiver || inherited;
  return {
    receiver,
    matchers: [
      ...Object.entries(text.match ?? {}).map(([name, value]) => known(name, '=', value)),
      ...Object.entries(text.match_re ?? {}).map(([name, value]) => known(name, '=~', value)),
      ...(text.matchers ?? []).flatMap((one) => {
        const parsed = parseMatchers(one);
        if (parsed !== undefined) return parsed;
        throw new UnreadableRoute(`has a matcher that cannot be read: ${one}`);
      }),
    ],
    continues: text.continue === 'true',
    children: (text.routes ?? []).map((child) => toRoute(child, receiver)),
  };
}

function known(name: string, operator: '=' | '=~', value: string): Matcher {
  const matcher = matcherOf(name, operator, value);
  if (matcher !== undefined) return matcher;
  throw new UnreadableRoute(`has a matcher that cannot be read: ${name}${operator}${value}`);
}

/** The first child that matches takes it, and the next ones only where it says continue; without one it stays here. */
function matching(route: Route, given: Labels): readonly Route[] {
  if (!allMatch(route.matchers, given)) return [];
  const found: Route[] = [];
  for (const child of route.children) {
    const below = matching(child, given);
    found.push(...below);
    if (below.length > 0 && !child.continues) break;
  }
  return found.length > 0 ? found : [route];
}

/** Such as `webhook_configs`: whatever integrations there are and will be. */
function hasIntegration(receiver: Readonly<Record<string, unknown>>): boolean {
  return Object.entries(receiver).some(
    ([name, value]) => name.endsWith('_configs') && Array.isArray(value) && value.length > 0,
  );
}
