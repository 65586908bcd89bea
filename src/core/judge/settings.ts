/** Every number that the sequential judge goes by, in one table, each with its reason. The API has none of them. */

export const judgeSettings = {
  /**
   * Chance that a healthy canary is called bad by one trigger over the planned length of a run: 1 %, the target that
   * the false-rollback table of docs/judges.md is measured against.
   */
  alpha: 0.01,
  /**
   * The factor by which canary may be worse than stable and still count as healthy. New pods, cold caches and a
   * different mix of requests differ by a few tenths without being a fault.
   */
  toleratedFactor: 1.5,
  /**
   * How many times worse than tolerated canary may turn out to be. The mixture gives each the same weight, so that a
   * slight regression is found as well as a gross one; between two of them next to nothing is lost.
   */
  alternatives: [1.5, 2, 3, 5, 10, 50],
  /**
   * Evidence is gathered anew every hour, since hours of health would otherwise have to be outweighed first: with all
   * of them a regression that begins after a day takes hours to show, with blocks minutes (docs/judges.md).
   */
  blockMs: 60 * 60_000,
  /**
   * The arms are scraped at different moments, so what hits both of them is seen on one of them first: at 100 requests a
   * second that alone looks like a regression of canary. So canary is judged as it was so long ago, and stable's time
   * reaches so much further at both ends: it holds every scrape that canary's does. A range in a query is by convention
   * at least four scrapes long, so that a quarter of it is at least one.
   */
  lagPerRange: 1 / 4,
} as const;
