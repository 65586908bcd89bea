/** Values that hold from one instant until the next: weights, faults, Ready endpoints. Asked for any time, also the past. */

export class StepsOfTime<T> {
  readonly #steps: { readonly atMs: number; readonly value: T }[] = [];
  readonly #initial: T;

  constructor(initial: T) {
    this.#initial = initial;
  }

  /** `atMs` must not be before the last one set; the same value again is no step. */
  set(atMs: number, value: T): void {
    const last = this.#steps.at(-1);
    if (Object.is(last === undefined ? this.#initial : last.value, value)) return;
    if (last?.atMs === atMs) this.#steps.pop();
    this.#steps.push({ atMs, value });
  }

  at(atMs: number): T {
    for (let index = this.#steps.length - 1; index >= 0; index -= 1) {
      const step = this.#steps[index];
      if (step !== undefined && step.atMs <= atMs) return step.value;
    }
    return this.#initial;
  }

  get current(): T {
    return this.#steps.at(-1)?.value ?? this.#initial;
  }
}
