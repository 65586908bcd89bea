/** The weights: what was asked for and what is read back from each route and flag. */
import type { Page } from './page.ts';
import { hang } from './wrap.ts';

export function trafficLines({ view, width }: Page): string[] {
  const { status } = view;
  const { routes = [], restarts = [], weight } = status;
  if (routes.length === 0 && weight === undefined) return [];
  const step = status.plan?.find(({ kind, name }) => kind === 'Step' && name === status.step);
  const asked = status.rollback === undefined ? step?.weight : 0;
  const said = [
    ...(asked === undefined ? [] : [`asked ${asked}%`]),
    ...(weight === undefined ? ['not measured'] : [`measured ${weight}%`]),
  ];
  const arms = armsText(view.run);
  return [
    ...hang('  ', `${said.join(', ')}${arms}`, width),
    ...routes.flatMap((route) => {
      const { kind, name, weight: share, drift = 0, problem } = route;
      const parts = [
        share === undefined ? 'not read' : `${share}%`,
        ...(drift > 0 ? [`changed by others ${drift} times`] : []),
        ...(problem === undefined ? [] : [problem]),
      ];
      return hang('    ', `${kind}/${name}: ${parts.join(', ')}`, width);
    }),
    ...restarts.flatMap(({ kind, name, weight: share, problem }) => {
      const at = share === undefined ? 'not restarted yet' : `restarted for ${share}%`;
      return hang('    ', `${kind}/${name}: ${problem ?? at}`, width);
    }),
  ];
}

function armsText(run: Page['view']['run']): string {
  const { stable, canary } = run ?? {};
  return stable === undefined || canary === undefined
    ? ''
    : `; stable is Service ${stable.service}, canary Service ${canary.service}`;
}
