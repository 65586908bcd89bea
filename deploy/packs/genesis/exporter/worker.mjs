/** One benchmark in a thread of its own, so that its memory can be told from the other's: rounds in, figures out. */
import { getHeapStatistics } from 'node:v8';
import { parentPort, workerData } from 'node:worker_threads';
import { langmemTests, runSuite } from './health-suite.mjs';
import { createLangmem } from './langmem.mjs';
import { createOsworld } from './osworld.mjs';

const TASKS = 60;
const TEXTS = 200;

const rounds = {
  osworld: () => {
    const osworld = createOsworld();
    return () => ({ results: osworld.round(TASKS) });
  },
  langmem: () => {
    const langmem = createLangmem(workerData.langmem);
    return () => {
      const round = langmem.round(TEXTS);
      const { size, expired, exactDuplicates, semanticDuplicates } = langmem.store;
      const tests = runSuite((name) => langmemTests.includes(name));
      return { ...round, size, expired, exactDuplicates, semanticDuplicates, tests };
    };
  },
};

const round = rounds[workerData.benchmark]();
parentPort.on('message', () => {
  const figures = round();
  const { used_heap_size: heap, external_memory: external } = getHeapStatistics();
  parentPort.postMessage({ ...figures, memoryBytes: heap + external });
});
