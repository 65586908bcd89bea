/**
 * `--fire-alert`: a test alert is posted to every Alertmanager, and waited for until each names the receivers that get it.
 * It is resolved in every case, also when the person leaves.
 */
import { poll } from '#cli/one-rollout.ts';
import type { ChainFinding } from '#core/chain.ts';
import type { Clock } from '#ports/clock.ts';
import type { AlertRouter, FiredAlert, Told } from '#ports/monitoring-systems.ts';
import { withDeadline } from '#runtime/deadline.ts';

export interface TestAlert {
  readonly namespace: string;
  readonly rollout: string;
  /** Tells it from every other. */
  readonly id: string;
  /** How long an Alertmanager may take to know it. */
  readonly limitMs: number;
  readonly clock: Clock;
  /** Aborted when the person leaves. */
  readonly signal: AbortSignal;
}

const POLL_MS = 1_000;
/** For resolving, after whatever came before. */
const RESOLVE_MAX_MS = 10_000;
const OF = 'the test alert';

/** Rejects only when the person leaves, after the alert has been resolved. */
export async function fireTestAlert(
  routers: readonly AlertRouter[],
  test: TestAlert,
): Promise<ChainFinding[]> {
  const alert = alertOf(test);
  const found = await Promise.all(routers.map((router) => fireAt(router, alert, test)));
  test.signal.throwIfAborted();
  return found.flat();
}

function alertOf({ namespace, rollout, id, clock }: TestAlert): FiredAlert {
  return {
    labels: {
      alertname: 'GenesisPreflightTest',
      namespace,
      rollout,
      severity: 'info',
      genesis_test: 'true',
      genesis_test_id: id,
    },
    annotations: {
      summary: `A test of the way from an alert of rollout ${namespace}/${rollout} to people. Nothing has to be done.`,
    },
    startsAtMs: clock.now(),
    endsAtMs: undefined,
  };
}

async function fireAt(
  router: AlertRouter,
  alert: FiredAlert,
  test: TestAlert,
): Promise<ChainFinding[]> {
  const startedMs = test.clock.monotonic();
  const resolved = async (): Promise<ChainFinding[]> => await resolve(router, alert, test.clock);
  let findings: ChainFinding[];
  try {
    const posted = await router.post(alert, test.signal);
    // Whether an alert was taken whose answer got lost is not known: it is resolved as well.
    if (posted.type !== 'told') findings = [notTaken(router, posted, 'cannot be posted')];
    else {
      const known = await awaitKnown(router, alert, test);
      const tookMs = test.clock.monotonic() - startedMs;
      if (known.type !== 'told') findings = [notTaken(router, known, 'is not known')];
      else findings = [await arrived(router, alert, { names: known.value, tookMs }, test)];
    }
  } catch (error) {
    await resolved();
    if (test.signal.aborted) return [];
    throw error;
  }
  const left = await resolved();
  return findings.some(({ link }) => link === 'alertmanager') ? findings : [...findings, ...left];
}

type Known = Exclude<Told<readonly string[]>, { type: 'told' }> | Taken;
type Taken = Extract<Told<readonly string[]>, { type: 'told' }>;

/** Asked once a second until it is known or the time is over; then what was said last. */
async function awaitKnown(
  router: AlertRouter,
  { labels }: FiredAlert,
  { clock, limitMs, signal }: TestAlert,
): Promise<Known> {
  let last: Known = { type: 'failed', message: 'the alert was taken, and is not listed' };
  const polling = { clock, everyMs: POLL_MS, limitMs, signal };
  const found = await poll(polling, async (): Promise<Known | undefined> => {
    const told = await router.known(labels, signal);
    if (told.type === 'told') {
      const { value } = told;
      return value === undefined ? undefined : { type: 'told', value };
    }
    last = told;
    return told.type === 'cannotTell' ? told : undefined;
  });
  return found ?? last;
}

async function arrived(
  router: AlertRouter,
  { labels }: FiredAlert,
  { names, tookMs }: { readonly names: readonly string[]; readonly tookMs: number },
  { signal }: TestAlert,
): Promise<ChainFinding> {
  const { url } = router;
  const after = `${url} knew it after ${(tookMs / 1000).toFixed(1)} s`;
  const base = { link: 'receiver', of: OF, subject: url } as const;
  if (names.length === 0) {
    return {
      ...base,
      verdict: 'broken',
      cause: 'noReceiver',
      message: `${after}, and names no receiver for it`,
      mend: "Give the top route of Alertmanager's configuration a receiver.",
    };
  }
  const message = `${after}; ${names.length === 1 ? 'receiver' : 'receivers'}: ${names.join(', ')}`;
  const told = await router.receiversOf(labels, signal);
  const known = told.type === 'told' ? told.value : [];
  if (known.length === 0 || known.some(({ reachesSomebody }) => reachesSomebody)) {
    return { ...base, verdict: 'fine', message };
  }
  return {
    ...base,
    verdict: 'advice',
    cause: 'nobodyTold',
    message: `${message}, without anybody to tell: an alert of severity info ends there`,
    mend: 'Where alerts of this severity are meant to reach somebody, give the receiver an integration.',
  };
}

function notTaken(
  { url }: AlertRouter,
  told: Exclude<Told<unknown>, { type: 'told' }>,
  words: string,
): ChainFinding {
  const base = { link: 'alertmanager', of: OF, subject: url } as const;
  const message = `${url}: the test alert ${words}: ${told.message}`;
  if (told.type === 'cannotTell') return { ...base, verdict: 'cannotTell', message };
  return {
    ...base,
    verdict: 'broken',
    cause: 'unreachable',
    message,
    mend: 'See that Alertmanager is up, and that alerts may be posted to it.',
  };
}

/** @returns what is worth telling when it did not work: the alert ends by itself then */
async function resolve(
  router: AlertRouter,
  alert: FiredAlert,
  clock: Clock,
): Promise<ChainFinding[]> {
  const ended = { ...alert, endsAtMs: clock.now() };
  const told = await withDeadline(clock, RESOLVE_MAX_MS, [], (signal) =>
    router.post(ended, signal),
  ).catch((error: unknown) => ({
    type: 'failed' as const,
    message: error instanceof Error ? error.message : String(error),
  }));
  if (told.type === 'told') return [];
  return [
    {
      link: 'alertmanager',
      of: OF,
      subject: router.url,
      verdict: 'advice',
      message: `${router.url}: the test alert cannot be resolved: ${told.message}; it ends by itself after Alertmanager's resolve_timeout`,
    },
  ];
}
