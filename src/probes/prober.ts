/** Probes over HTTP: one GET an evaluation, and the short memory that is all the history a probe has. */
import type { Answer, Probe, ProbeQuestion } from '#core/answer.ts';
import type { ObjectKey } from '#ports/cluster.ts';
import type { Prober } from '#ports/prober.ts';
import type { Web, WebAnswer } from '#web/web.ts';
import { Seen } from './seen.ts';

/** Whoever needs longer than this is not up for people either, and a look must not wait for ever. */
const LIMIT_MS = 3_000;
/** Of the body nothing is wanted. */
const BYTES_MAX = 64 * 1024;

export function createProber(web: Pick<Web, 'ask'>): Prober {
  /** By rollout, then by URL and status. */
  const seen = new Map<string, Map<string, Seen>>();

  const seenOf = (rollout: ObjectKey, { url, expectStatus }: Probe): Seen => {
    const id = `${rollout.namespace}/${rollout.name}`;
    const ofRollout = seen.get(id) ?? new Map<string, Seen>();
    seen.set(id, ofRollout);
    const probe = `${expectStatus} ${url}`;
    const known = ofRollout.get(probe) ?? new Seen();
    ofRollout.set(probe, known);
    return known;
  };

  const look = async (
    probe: Extract<ProbeQuestion, { type: 'probe' }>,
    known: Seen,
    signal: AbortSignal,
  ): Promise<Answer> => {
    const { atMs, url, expectStatus } = probe;
    if (known.at(atMs) === undefined) {
      const question = { method: 'GET', url, limitMs: LIMIT_MS, bytesMax: BYTES_MAX } as const;
      const answer = await web.ask(question, signal);
      if (answer.type === 'notAsked') return noReading(answer.message);
      known.add(atMs, isUp(answer, expectStatus) ? 1 : 0);
    }
    const value = known.at(atMs);
    const samples = value === undefined ? [] : [{ labels: {}, value, atMs }];
    return { type: 'samples', samples, skewMs: undefined };
  };

  return {
    async answer(rollout, question, signal) {
      const known = seenOf(rollout, question);
      if (question.type === 'probe') return look(question, known, signal);
      const points = [];
      for (let atMs = question.startMs; atMs <= question.endMs; atMs += question.stepMs) {
        const value = known.at(atMs);
        if (value !== undefined) points.push({ atMs, value });
      }
      const series = points.length === 0 ? [] : [{ labels: {}, points }];
      return { type: 'series', series, skewMs: undefined };
    },
    forget(rollout) {
      seen.delete(`${rollout.namespace}/${rollout.name}`);
    },
  };
}

/** A redirect is not followed: where it leads is not what was asked. */
function isUp(answer: WebAnswer, expectStatus: Probe['expectStatus']): boolean {
  if (answer.type !== 'answer') return false;
  if (expectStatus === '2xx') return answer.status >= 200 && answer.status <= 299;
  return answer.status === expectStatus;
}

/** A partial answer proves nothing: it is read as no data. */
function noReading(message: string): Answer {
  return { type: 'error', fault: 'partial', message };
}
