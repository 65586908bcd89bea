/** From rounds of the benchmarks to metrics. Every value here was measured; metrics.yaml says what each means. */

export function createMeasures(metrics) {
  return { osworld: osworldMeasures(metrics), langmem: langmemMeasures(metrics) };
}

function osworldMeasures(metrics) {
  const rate = metrics.gauge(
    'genesis_osworld_success_rate',
    'Tasks of the newest round that passed, in percent (0-100).',
  );
  const total = metrics.counter('genesis_osworld_tasks_total', 'Tasks that were run.');
  const passed = metrics.gauge(
    'genesis_osworld_tasks_passed',
    'Tasks of the newest round that passed.',
  );
  const failed = metrics.gauge(
    'genesis_osworld_tasks_failed',
    'Tasks of the newest round that failed.',
  );
  const seconds = metrics.histogram(
    'genesis_osworld_task_duration_seconds',
    'Time of a task.',
    [0.00001, 0.00005, 0.0001, 0.0005, 0.001, 0.01, 0.1, 1, 5, 10, 15, 20, 25, 30, 45, 60],
  );
  const memory = metrics.gauge(
    'genesis_osworld_memory_usage_bytes',
    'Memory of the thread that runs the tasks.',
  );
  const steps = metrics.gauge(
    'genesis_osworld_step_count',
    'Steps of a task, mean of the newest round.',
  );
  return ({ results, memoryBytes }) => {
    const good = results.filter((one) => one.passed).length;
    rate.set((100 * good) / results.length);
    total.add(results.length);
    passed.set(good);
    failed.set(results.length - good);
    for (const one of results) seconds.observe(one.seconds);
    memory.set(memoryBytes);
    steps.set(results.reduce((sum, one) => sum + one.steps, 0) / results.length);
  };
}

function langmemMeasures(metrics) {
  const rate = metrics.gauge(
    'genesis_langmem_dedup_rate',
    'Texts of the newest round that were known already, in percent (0-100).',
  );
  const p95 = metrics.gauge(
    'genesis_langmem_p95_latency_ms',
    'Time to add a text, 95th percentile of the newest round, in milliseconds.',
  );
  const size = metrics.gauge('genesis_langmem_cache_size', 'Texts that are remembered.');
  const memory = metrics.gauge(
    'genesis_langmem_memory_usage_mb',
    'Memory of the thread that remembers, in MB of 1,000,000 bytes.',
  );
  const cleanups = metrics.counter(
    'genesis_langmem_ttl_cleanups_total',
    'Texts that were forgotten because their time was over.',
  );
  const exact = metrics.counter(
    'genesis_langmem_exact_dedup_total',
    'Texts that were known word for word.',
  );
  const semantic = metrics.counter(
    'genesis_langmem_semantic_dedup_total',
    'Texts that were known in other words.',
  );
  const tests = metrics.counter(
    'genesis_langmem_tests_total',
    'Tests of the memory that were run.',
  );
  const passed = metrics.gauge(
    'genesis_langmem_tests_passed',
    'Tests of the newest round that passed.',
  );
  const failed = metrics.gauge(
    'genesis_langmem_tests_failed',
    'Tests of the newest round that failed.',
  );
  return (figures) => {
    rate.set((100 * figures.duplicates) / figures.count);
    p95.set(quantile(figures.milliseconds, 0.95));
    size.set(figures.size);
    memory.set(figures.memoryBytes / 1e6);
    cleanups.reach(figures.expired);
    exact.reach(figures.exactDuplicates);
    semantic.reach(figures.semanticDuplicates);
    tests.add(figures.tests.total);
    passed.set(figures.tests.passed);
    failed.set(figures.tests.failed);
  };
}

function quantile(values, share) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? 0;
}
