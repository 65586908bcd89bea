/** The benchmark's figures beside what they must reach. */
import type { Figures } from './bench.ts';
import type { Quantiles } from './quantiles.ts';

export function printReport(figures: Figures): void {
  process.stdout.write(`${reportText(figures)}\n`);
}

export function reportText(figures: Figures): string {
  const { options, machine, steady } = figures;
  const queriesMax = options.sharedQuery ? 1 : 100;
  const rows = [
    ['figure', 'reached', 'must reach at 1,000'],
    [
      'held → route at 0, scattered: p50 / p95 / max',
      seconds(figures.scattered),
      '0.3 / 1.0 / 2.0 s',
    ],
    [
      'held → route at 0, all at once: p50 / p95 / max',
      seconds(figures.storm),
      '0.3 / 1.0 / 2.0 s',
    ],
    ['start → breach already held is at 0: p50 / p95 / max', seconds(figures.restart), '≤ 5 s'],
    ['Prometheus queries a second', steady.queriesPerSecond.toFixed(1), `≤ ${queriesMax}`],
    ['API writes a second, steady', steady.apiWritesPerSecond.toFixed(3), '0'],
    ['API reads a second, steady', steady.apiReadsPerSecond.toFixed(3), '≤ 0.1'],
    ['lease renewals a second (leader election)', steady.leaseWritesPerSecond.toFixed(2), '–'],
    [
      'snapshots kept in ConfigMaps: writes / reads a second',
      `${steady.evidenceWritesPerSecond.toFixed(2)} / ${steady.evidenceReadsPerSecond.toFixed(2)}`,
      '–',
    ],
    ['CPU, steady', `${steady.cpuMillicores.toFixed(0)} millicores`, '≤ 60'],
    [
      'memory, steady (peak so far)',
      `${steady.residentMB.toFixed(0)} (${steady.peakMB.toFixed(0)}) MB`,
      '≤ 160 (220) MB',
    ],
    [
      'of it heap used / heap total / external',
      `${steady.heapUsedMB.toFixed(0)} / ${steady.heapTotalMB.toFixed(0)} / ${steady.externalMB.toFixed(0)} MB`,
      '–',
    ],
    ['memory, peak of the storm', `${figures.peakMBAtEnd} MB`, '≤ 220 MB'],
    ['start → every first weight written', `${figures.firstWeightsSeconds.toFixed(1)} s`, '–'],
  ];
  const title = `${options.rollouts} rollouts, ${options.sharedQuery ? 'one query for all' : 'a query each'}, every 10 s; ${machine.cores} cores (${machine.model}), ${machine.memoryGiB} GiB`;
  return [title, '', ...table(rows)].join('\n');
}

function seconds({ p50, p95, max }: Quantiles): string {
  return `${[p50, p95, max].map((one) => one.toFixed(2)).join(' / ')} s`;
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = [0, 1, 2].map((column) =>
    Math.max(...rows.map((row) => [...(row[column] ?? '')].length)),
  );
  return rows.map(
    (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`,
  );
}
