/** What of a spec leads outside and only the shell can judge: URLs that may not be asked, patterns its engine does not know, channels. */
import type { RolloutSpec } from '#api/rollout.ts';

/** Each answers with the end of a sentence about the value, or undefined when nothing is wrong. */
export interface OutsideChecks {
  readonly urlProblem?: ((url: string) => string | undefined) | undefined;
  readonly patternProblem?: ((pattern: string) => string | undefined) | undefined;
  readonly channelProblem?: ((channel: string) => string | undefined) | undefined;
}

export function outsideProblems(spec: RolloutSpec, checks: OutsideChecks): string[] {
  const {
    urlProblem = () => undefined,
    patternProblem = () => undefined,
    channelProblem = () => undefined,
  } = checks;
  const say = (field: string, value: string, problem: string | undefined) =>
    problem === undefined ? [] : [`${field}: ${JSON.stringify(value)} ${problem}`];
  const urlAt = (field: string, url: string | undefined) =>
    url === undefined ? [] : say(field, url, urlProblem(url));
  return [
    ...spec.triggers.flatMap(({ name, probe }, index) =>
      urlAt(`spec.triggers[${index}] (${name}).probe.url`, probe?.url),
    ),
    ...spec.healthSuites.flatMap(({ name, http, knownFlaky }, index) => [
      ...urlAt(`spec.healthSuites[${index}] (${name}).http.url`, http?.url),
      ...knownFlaky.flatMap((pattern) =>
        say(`spec.healthSuites[${index}] (${name}).knownFlaky`, pattern, patternProblem(pattern)),
      ),
    ]),
    ...urlAt('spec.rollback.health.url', spec.rollback.health?.url),
    ...spec.notify.flatMap(({ channel }, index) =>
      say(`spec.notify[${index}].channel`, channel, channelProblem(channel)),
    ),
  ];
}
