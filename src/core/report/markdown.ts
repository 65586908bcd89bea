/** The report for people. Empty sections are left out; nothing is said that the data does not say. */
import { formatDuration } from '#api/duration.ts';
import { spanText } from '#core/time.ts';
import type { Report } from './data.ts';

type Cell = string | number | undefined;

export function markdownOf(report: Report): string {
  const sections = [
    head(report),
    summary(report),
    rollback(report),
    fired(report),
    plan(report),
    success(report),
    decisions(report),
    held(report),
    snapshots(report),
    triggers(report),
    told(report),
    timeline(report),
  ];
  return `${sections.filter((text) => text !== '').join('\n\n')}\n`;
}

function head({ kind, rollout, revision, isFinal, madeAt }: Report): string {
  const what = kind === 'Incident' ? 'Incident report' : 'Success report';
  const title = `# ${what}: ${rollout} ${revision}`;
  return isFinal ? title : `${title}\n\n_Made at ${madeAt}, before the run has ended._`;
}

function summary(report: Report): string {
  const { outcome, message, namespace, rollout, runId, startedAt, endedAt, tookMs } = report;
  return [
    `**${outcome}.** ${inline(message)}`,
    '',
    `- Rollout: \`${namespace}/${rollout}\`, revision \`${report.revision}\`, run \`${runId}\``,
    `- Started ${startedAt}; ${endedAt === undefined ? 'not ended yet' : `ended ${endedAt}`}, ${spanText(tookMs)} in all`,
    `- Snapshots: ${snapshotSentence(report)}`,
  ].join('\n');
}

function snapshotSentence({ snapshots: { expected, missing, intervalMs } }: Report): string {
  const every = `one every ${formatDuration(intervalMs)}`;
  if (expected === 0) return `none was due (${every})`;
  return missing === 0
    ? `all ${expected} (${every})`
    : `${expected - missing} of ${expected}, ${missing} missing (${every})`;
}

function rollback({ rollback: back }: Report): string {
  if (back === undefined) return '';
  const cause = back.trigger === undefined ? back.reason : `trigger \`${back.trigger}\``;
  const sla = back.withinSla === false ? 'over' : back.withinSla === true ? 'within' : 'against';
  const rows = back.stages.map((stage): Cell[] => [
    stage.name,
    stage.outcome,
    stage.startedAt,
    stage.tookMs === undefined ? 'running' : spanText(stage.tookMs),
    stage.budgetMs === undefined ? undefined : formatDuration(stage.budgetMs),
    inline(stage.message),
  ]);
  return [
    '## Rollback',
    '',
    `Decided ${back.startedAt} by ${cause}: ${inline(back.message)}`,
    '',
    `Outcome **${back.outcome}** after ${spanText(back.tookMs)}, ${sla} the SLA of ${formatDuration(back.slaMs)}.`,
    '',
    table(['Stage', 'Outcome', 'Started', 'Took', 'Budget', 'What was done and seen'], rows),
  ].join('\n');
}

function fired({ fired: all }: Report): string {
  if (all.length === 0) return '';
  const parts = all.map((one) =>
    [
      `### ${one.name} (${one.severity})`,
      '',
      inline(one.message),
      '',
      `- Condition: \`${one.condition}\` for ${spanText(one.forMs)}`,
      ...(one.value === undefined ? [] : [`- Value: ${one.value}`]),
      `- ${one.activeAt === undefined ? '' : `True since ${one.activeAt}, fired `}${one.activeAt === undefined ? 'Fired ' : ''}${one.firingAt}`,
      `- Asked: ${code(one.source)}`,
    ].join('\n'),
  );
  return ['## What fired', ...parts].join('\n\n');
}

function plan({ plan: points, weights, startedAt, checkpoints }: Report): string {
  if (points.length === 0) return '';
  const outcomeOf = (name: string) => checkpoints.find((one) => one.name === name)?.outcome;
  const rows = points.map((point): Cell[] => [
    point.name,
    point.kind,
    point.weight === undefined ? undefined : `${point.weight}%`,
    point.plannedMs === undefined ? undefined : `+${formatDuration(point.plannedMs)}`,
    point.dueAt,
    point.passedAt ?? outcomeOf(point.name) ?? 'not reached',
  ]);
  const real = weights.map(({ at, weight }) => `${weight}% at ${at}`).join(', ');
  return [
    '## Plan',
    '',
    table(['Point', 'Kind', 'Weight', 'Planned', 'Due', 'Passed'], rows),
    '',
    real === ''
      ? `No snapshot since ${startedAt} has read a weight.`
      : `Weight as the snapshots read it: ${real}.`,
  ].join('\n');
}

function success({ success: judged, criteria, required, extensions }: Report): string {
  if (criteria.length + required.length + extensions.length === 0) return '';
  const verdict =
    judged === undefined
      ? 'Not judged.'
      : `**${judged.outcome}** at ${judged.judgedAt}, over the time since ${judged.since}.`;
  const missed = (judged?.missed ?? []).map((sentence) => `- missed: ${inline(sentence)}`);
  const moved = extensions.map(
    ({ at, by, reason, until }) =>
      `- extended ${at} to ${until} by ${inline(by)}: ${inline(reason)}`,
  );
  const list = [
    ...(required.length === 0 ? [] : [`- required: ${required.join(', ')}`]),
    ...missed,
    ...moved,
  ];
  const rows = criteria.map((one): Cell[] => [
    one.name,
    `\`${one.condition}\``,
    spanText(one.forMs),
    code(one.source),
  ]);
  return [
    '## Success criteria',
    verdict,
    ...(list.length === 0 ? [] : [list.join('\n')]),
    ...(rows.length === 0 ? [] : [table(['Criterion', 'Condition', 'For', 'Asked'], rows)]),
  ].join('\n\n');
}

function decisions({ decisions: all }: Report): string {
  if (all.length === 0) return '';
  const rows = all.map((one): Cell[] => [
    one.at,
    one.decision,
    inline(one.by),
    one.outcome,
    one.reason === undefined ? undefined : inline(one.reason),
  ]);
  return `## Decisions\n\n${table(['When', 'Decision', 'By', 'Outcome', 'Reason'], rows)}`;
}

function held({ held: all }: Report): string {
  if (all.length === 0) return '';
  const rows = all.map((one): Cell[] => [
    one.from,
    one.to ?? 'the end',
    spanText(one.forMs),
    one.why.map(inline).join('; '),
  ]);
  return `## Held\n\n${table(['From', 'To', 'For', 'Why'], rows)}`;
}

function snapshots({ snapshots: all }: Report): string {
  if (all.expected === 0 && all.metrics.length === 0) return '';
  const gaps = all.gaps.map(
    ({ from, to, fromAt, toAt }) =>
      `- missing: ${from === to ? `${from} (${fromAt})` : `${from} to ${to} (${fromAt} to ${toAt})`}`,
  );
  const alerts = all.alerts.map(({ name, snapshots: seen }) => `- alert ${name}: seen in ${seen}`);
  const health = all.health.map(({ of, states }) => {
    const words = Object.entries(states).map(([state, count]) => `${state} in ${count}`);
    return words.length === 0 ? [] : [`- ${of}: ${words.join(', ')}`];
  });
  const list = [...gaps, ...health.flat(), ...alerts];
  const rows = all.metrics.map((one): Cell[] => [
    one.name,
    one.values,
    one.without,
    one.min,
    one.max,
    one.last,
  ]);
  return [
    '## Snapshots',
    ...(list.length === 0 ? [] : [list.join('\n')]),
    ...(rows.length === 0
      ? []
      : [table(['Metric', 'Values', 'Without', 'Min', 'Max', 'Last'], rows)]),
  ].join('\n\n');
}

function triggers({ triggers: all }: Report): string {
  if (all.length === 0) return '';
  const rows = all.map((one): Cell[] => [
    one.name,
    one.severity,
    `\`${one.condition}\``,
    spanText(one.forMs),
    one.state,
    code(one.source),
  ]);
  const heads = ['Trigger', 'Severity', 'Condition', 'For', 'State', 'Asked'];
  return `## Triggers\n\n${table(heads, rows)}`;
}

function told({ told: all }: Report): string {
  if (all.length === 0) return '';
  const rows = all.map((one): Cell[] => [one.reason, one.kind, one.count, one.firstAt, one.lastAt]);
  return `## Told as events\n\n${table(['Reason', 'Type', 'Times', 'First', 'Last'], rows)}`;
}

function timeline({ timeline: all }: Report): string {
  if (all.length === 0) return '';
  const rows = all.map((one): Cell[] => [one.at, one.what, inline(one.text)]);
  return `## Timeline\n\n${table(['When', 'What', 'Details'], rows)}`;
}

function table(heads: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const line = (cells: readonly Cell[]) =>
    `| ${cells.map((cell) => String(cell ?? '–').replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(heads), `|${heads.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n');
}

/** One line, whatever was in it. */
function inline(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}

function code(text: string): string {
  const line = inline(text);
  return line.includes('`') ? `\`\` ${line} \`\`` : `\`${line}\``;
}
