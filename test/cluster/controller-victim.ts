/** A controller process that a test kills without warning, and the moments at which it does. */
import { systemClock } from '#runtime/clock.ts';
import type { ControllerProcess } from '#scripts/demo/controller.ts';

/** A controller that is killed again and again. */
export class Victim {
  readonly #begin: () => Promise<ControllerProcess>;
  readonly #down: { readonly fromMs: number; toMs: number }[] = [];
  #process: ControllerProcess | undefined;
  #restarting: Promise<void> | undefined;
  kills = 0;

  constructor(begin: () => Promise<ControllerProcess>) {
    this.#begin = begin;
  }

  async start(): Promise<void> {
    this.#process = await this.#begin();
  }

  /** SIGKILL now, a new one at once or after a while. While one is starting, it is left alone. */
  kill(awayMs = 0): void {
    const victim = this.#process;
    if (victim === undefined) return;
    this.#process = undefined;
    this.kills += 1;
    const gap = { fromMs: systemClock.now(), toMs: Infinity };
    this.#down.push(gap);
    process.kill(victim.pid, 'SIGKILL');
    this.#restarting = this.#restart(victim, gap, awayMs);
  }

  async #restart(victim: ControllerProcess, gap: { toMs: number }, awayMs: number): Promise<void> {
    await victim.ended;
    await systemClock.sleep(awayMs);
    this.#process = await this.#begin();
    gap.toMs = systemClock.now();
  }

  async settled(): Promise<void> {
    await this.#restarting;
  }

  async stop(): Promise<void> {
    await this.#restarting;
    await this.#process?.stop();
  }

  /** When it was not there, or not ready. */
  get gaps(): readonly { readonly fromMs: number; readonly toMs: number }[] {
    return this.#down;
  }

  /** How much of a time it was there. */
  upBetween(fromMs: number, toMs: number): number {
    const away = this.#down.map((gap) =>
      Math.max(0, Math.min(toMs, gap.toMs) - Math.max(fromMs, gap.fromMs)),
    );
    return toMs - fromMs - away.reduce((sum, ms) => sum + ms, 0);
  }
}

/** Small and good enough for moments in time (mulberry32). */
export function randomFrom(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
