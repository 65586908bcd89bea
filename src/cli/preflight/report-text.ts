/** A report for people: a line for each link, in the order of the chain, under whoever relies on it. */
import { printable } from '#cli/fields.ts';
import type { Ink, Style } from '#cli/page/ink.ts';
import { cut, hang, wrap } from '#cli/page/wrap.ts';
import { instantText } from '#cli/times.ts';
import {
  type ChainCause,
  type ChainFinding,
  type ChainReport,
  type ChainVerdict,
  chainLinks,
  type SystemName,
} from '#core/chain.ts';
import type { ServiceState } from './services.ts';
import type { Subject } from './subject.ts';
import { verdictOf } from './verdict.ts';

export interface ReportPage {
  readonly subject: Pick<Subject, 'namespace' | 'name' | 'source' | 'weight' | 'phase' | 'holds'>;
  readonly report: ChainReport;
  readonly services: readonly ServiceState[];
  /** What Prometheus names and cannot be asked from here, as sentences. */
  readonly unreached: readonly string[];
  /** Where each system was asked, for the lines about them; a system that is not in it was not asked. */
  readonly places: Readonly<Partial<Record<SystemName, string>>>;
  readonly width: number;
  readonly ink: Ink;
}

const systems: readonly SystemName[] = ['prometheus', 'alertmanager', 'grafana'];
const systemWidth = Math.max(...systems.map((name) => name.length));
/** What a cause is called; docs/preflight.md says of each what mends it. */
const causes: Readonly<Record<ChainCause, string>> = {
  neverExisted: 'it has never existed',
  disappeared: 'it existed and has disappeared',
  labelMissing: 'no series has the label',
  valueMissing: 'no series has this value of the label',
  noTrafficYet: 'there has been no traffic yet',
  targetDown: 'the target is down',
  noContentType: 'the exporter answers without a Content-Type that Prometheus knows',
  scrapesMissed: 'scrapes are missed',
  stale: 'the newest sample is too old',
  notFinite: 'the value is no finite number',
  severalSeries: 'there are several series where one is needed',
  suiteFailing: 'the suite cannot be carried out',
  ruleMissing: 'Prometheus has not loaded the rule',
  ruleFailing: 'the rule cannot be evaluated',
  ruleNotEvaluated: 'the rule is not evaluated',
  noReceiver: 'no receiver gets it',
  nobodyTold: 'the receiver has nobody to tell',
  dashboardMissing: 'there is no such dashboard',
  panelEmpty: 'the panel shows nothing',
  queryFails: 'the query fails',
  unreachable: 'it cannot be reached',
};

export function reportText(page: ReportPage): string {
  const blocks = [
    headLines(page),
    [...systemLines(page), ...unreachedLines(page), ...serviceLines(page)],
    ...groupsOf(page.report.findings).map((group) => groupLines(page, group)),
    operatorLines(page),
    verdictLines(page),
  ];
  const shown = blocks.filter((lines) => lines.length > 0).map((lines) => lines.join('\n'));
  return `${shown.join('\n\n')}\n`;
}

function headLines({ subject, report, width, ink }: ReportPage): string[] {
  const time = `${instantText(report.checkedAtMs)}Z`;
  const title = cut(
    `${subject.namespace}/${subject.name}`,
    Math.max(10, width - time.length - 2),
    ink.signs.more,
  );
  const gap = ' '.repeat(Math.max(2, width - title.length - time.length));
  return [
    `${ink.paint('strong', title)}${gap}${ink.paint('faint', time)}`,
    ...wrap(`Metric chain of ${subject.source}, canary ${subject.weight}%`, width).map((line) =>
      ink.paint('faint', line),
    ),
  ];
}

function systemLines({ report, places, unreached, width, ink }: ReportPage): string[] {
  return systems.flatMap((name) => {
    const { state, message } = report.health[name];
    // One is known, and told of below.
    if (name === 'alertmanager' && state === 'NotConfigured' && unreached.length > 0) return [];
    const style = state === 'Up' ? 'good' : state === 'Down' ? 'bad' : 'faint';
    const sign =
      state === 'Up' ? ink.signs.passed : state === 'Down' ? ink.signs.failed : ink.signs.none;
    const place = places[name] === undefined ? '' : ` ${places[name]}`;
    const words =
      state === 'NotConfigured'
        ? `none is named${name === 'prometheus' ? '' : `; --${name} names one`}`
        : `${state === 'Up' ? 'up,' : 'down,'}${place || ' found by Prometheus'}${message === undefined ? '' : `: ${printable(message)}`}`;
    return painted({ ink, style, sign, label: name.padEnd(systemWidth), text: words, width });
  });
}

function unreachedLines({ unreached, width, ink }: ReportPage): string[] {
  const look = { ink, width, style: 'warn', sign: '?', label: 'alertmanager' } as const;
  return unreached.flatMap((text) => painted({ ...look, text: printable(text) }));
}

/** No link of the chain, but no run starts without them, and labels are often made of their names. */
function serviceLines({ services, width, ink }: ReportPage): string[] {
  return services.flatMap(({ arm, name, ready }) => {
    const what = `Service ${printable(name)}`;
    const label = arm.padEnd(systemWidth);
    const line = (sign: string, style: Style, text: string) =>
      painted({ ink, style, sign, label, text, width });
    if (ready.type === 'missing') {
      return line('!', 'warn', `there is no ${what}: no run starts without it`);
    }
    if (ready.type === 'cannotTell')
      return line('?', 'warn', `${what}: ${printable(ready.message)}`);
    return ready.count > 0
      ? line(ink.signs.passed, 'good', `${what}: ${ready.count} Ready`)
      : line('!', 'warn', `${what} has no Ready endpoint: no run starts before it has one`);
  });
}

interface Group {
  readonly of: string;
  readonly findings: readonly ChainFinding[];
}

/** As the report names them first; within each in the order of the chain. */
function groupsOf(findings: readonly ChainFinding[]): Group[] {
  const names = [...new Set(findings.map(({ of }) => of))];
  return names.map((of) => ({
    of,
    findings: findings
      .filter((finding) => finding.of === of)
      .toSorted((a, b) => chainLinks.indexOf(a.link) - chainLinks.indexOf(b.link)),
  }));
}

const linkWidth = Math.max(...chainLinks.map((link) => link.length));

function groupLines({ width, ink }: ReportPage, { of, findings }: Group): string[] {
  const lines = findings.flatMap((finding) => {
    const { link, verdict, cause, mend } = finding;
    const label = link.padEnd(linkWidth);
    const { sign, style } = lookOf(verdict, ink);
    const text = textOf(finding);
    const room = width - linkWidth - 6;
    const isBrief = verdict === 'fine' || verdict === 'noTrafficExpected';
    const shown = isBrief ? cut(text, room, ink.signs.more) : text;
    const indent = ' '.repeat(linkWidth + 6);
    return [
      ...painted({ ink, style, sign, label, text: shown, width }),
      ...(cause === undefined || isBrief ? [] : hang(`${indent}cause: `, causes[cause], width)),
      ...(mend === undefined ? [] : hang(`${indent}mend: `, printable(mend), width)),
    ];
  });
  return [ink.paint('strong', cut(printable(of), width, ink.signs.more)), ...lines];
}

function textOf({ subject, message }: ChainFinding): string {
  const sentence = printable(message);
  return sentence === '' ? printable(subject) : sentence;
}

function painted(line: {
  readonly ink: Ink;
  readonly style: Style;
  readonly sign: string;
  readonly label: string;
  readonly text: string;
  readonly width: number;
}): string[] {
  const { ink, style, sign, label, text, width } = line;
  const start = `  ${sign} ${label}  `;
  const [first = '', ...others] = hang(start, text, width);
  return [first.replace(`  ${sign}`, () => `  ${ink.paint(style, sign)}`), ...others];
}

function lookOf(verdict: ChainVerdict, { signs }: Ink): { sign: string; style: Style } {
  const looks: Readonly<Record<ChainVerdict, { sign: string; style: Style }>> = {
    fine: { sign: signs.passed, style: 'good' },
    broken: { sign: signs.failed, style: 'bad' },
    cannotTell: { sign: '?', style: 'warn' },
    noTrafficExpected: { sign: signs.none, style: 'faint' },
    advice: { sign: '!', style: 'warn' },
  };
  return looks[verdict];
}

/** What the operator says of the same chain, from where it stands: a difference is worth a look. */
function operatorLines({ subject, report, width, ink }: ReportPage): string[] {
  const { holds, phase } = subject;
  if (holds.length === 0) return [];
  const isFineHere = report.findings.every(({ verdict }) => verdict !== 'broken');
  return [
    ink.paint('strong', `THE OPERATOR SAYS (phase ${phase})`),
    ...holds.flatMap(({ reason, by, message }) => [
      ...hang('  ', `${reason}, by ${by}`, width).map((line) => ink.paint('warn', line)),
      ...hang('    ', message, width),
    ]),
    ...(isFineHere
      ? hang(
          '  ',
          'From here nothing of the chain is broken. Either it has been mended since, and the operator finds out at its next check, within a minute; or what can be reached from here cannot be reached from there.',
          width,
        )
      : []),
  ];
}

function verdictLines({ report, width, ink }: ReportPage): string[] {
  const { text, style } = verdictOf(report);
  return wrap(printable(text), width).map((line) => ink.paint(style, line));
}
