/** Assertions that stay on in production: a broken invariant must be loud, never carried on with. */

/** A state the design rules out. The controller counts it, keeps canary at its weight, and looks again. */
export class InvariantError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'InvariantError';
  }
}

export function assert(holds: boolean, message: string): asserts holds {
  if (!holds) throw new InvariantError(message);
}

export function assertNever(value: never): never {
  throw new InvariantError(`impossible value: ${JSON.stringify(value)}`);
}
