/** Why a route is reported or refused: one word each, used in reading, status and docs alike. */
export const routeReasons = {
  /** No rule names both Services, so there is nothing to split. */
  noSuchBackends: 'NoSuchBackends',
  /** A rule names only one of the two Services, so its requests do not follow the weight. */
  partialCoverage: 'PartialCoverage',
  /** A third backend takes a share of a rule that is split. */
  thirdBackend: 'ThirdBackend',
  /** A rule names the same Service twice, so a weight has no single place. */
  duplicateBackend: 'DuplicateBackend',
  /** Backends without weights share equally: half of the traffic before the first step. */
  weightsNotDeclared: 'WeightsNotDeclared',
  /** All weights of a rule are 0: its requests are answered with an error. */
  noTraffic: 'NoTraffic',
  /** Clients are pinned to the version they met first. */
  sessionPersistence: 'SessionPersistence',
  /** The last resort of a rollback has taken canary out of the route. */
  isolated: 'Isolated',
  /** A Gateway or a mesh has refused the route, or none has answered for it. */
  notAccepted: 'NotAccepted',
  /** The route names no parent, so no gateway or mesh serves it. */
  noParents: 'NoParents',
  /** The object is not as its own schema says. */
  malformed: 'Malformed',
  /** The object is not there. */
  routeNotFound: 'RouteNotFound',
  /** The target itself lacks what this kind needs: a bug of the caller or of the spec. */
  invalidTarget: 'InvalidTarget',
  /** flagd ignores the flag, and every caller gets the default in its own code. */
  flagDisabled: 'FlagDisabled',
  /** A third variant takes a share. */
  thirdVariant: 'ThirdVariant',
  /** The ConfigMap says that it must not change. */
  immutable: 'Immutable',
  /** The flags document has no flag of that name. */
  noSuchFlag: 'NoSuchFlag',
  /** The flag's targeting has no `fractional` between the two variants. */
  noFractional: 'NoFractional',
  /** It cannot be told which variant is canary. */
  unknownVariants: 'UnknownVariants',
} as const;
