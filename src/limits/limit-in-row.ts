import type { RateWindow } from '../config/rate-limits.ts'
import type { Problem } from '../errors.ts'
import type { ReportLimits } from './attempt-limiter.ts'
import type { WindowState } from './attempt-store.ts'
import { quotasOf, rateLimitHeaders, tightest, tooManyRequests } from './rate-limit-headers.ts'

/**
 * Counts the hits of a limit in a row of its subject's own, by the statement that the attempt makes anyway: no second statement,
 * no other store, and exact for any number of instances. The row holds the times of the hits, in seconds since 1970 and in
 * order, in a column of the type `float8[]`, which no index may have.
 *
 * @param windows none where the limit is off
 */
export function limitInRow (name: string, windows: readonly RateWindow[]) {
  /** @param now seconds since 1970, as the database has them */
  function statesOf (hits: readonly number[], now: number): WindowState[] {
    return windows.map(({ seconds }) => {
      const within = hits.filter(hit => hit > now - seconds)
      return { used: within.length, freesIn: (within[0] ?? now) + seconds - now }
    })
  }

  return {
    /** The parameters of `isWithinSql` and `countedSql`. */
    values: {
      ...Object.fromEntries(windows.flatMap(({ limit, seconds }, index) => [[`mostHits${index}`, limit], [`hitSeconds${index}`, seconds]])),
      keptSeconds: Math.max(0, ...windows.map(({ seconds }) => seconds))
    },

    /** SQL: whether each window has room for another hit. @param hits the column, as the statement names it */
    isWithinSql (hits: string): string {
      const haveRoom = windows.map((_, index) => `coalesce(${hits}[cardinality(${hits}) - :mostHits${index}::int + 1] <= ${NOW} - :hitSeconds${index}::float8, true)`)
      return haveRoom.length === 0 ? 'true' : `(${haveRoom.join(' AND ')})`
    },

    /** SQL: the hits with this one, and without those that have left every window; none where the limit is off. */
    countedSql (hits: string): string {
      if (windows.length === 0) return "'{}'"
      return `${hits}[width_bucket(${NOW} - :keptSeconds::float8, ${hits}) + 1:] || greatest(${NOW}, ${hits}[cardinality(${hits})] + 1e-6)`
    },

    /** Tells an admitted client what is left. @param hits those of the row, this one included */
    report (hits: readonly number[], now: number, report: ReportLimits): void {
      const quota = tightest(quotasOf(name, windows, statesOf(hits, now)))
      if (quota !== undefined) report(rateLimitHeaders(quota))
    },

    /** @param hits those of the row, which this one was not added to */
    refusal (hits: readonly number[], now: number): Problem {
      const waits = windows.map(({ limit, seconds }) => (hits[hits.length - limit] ?? -Infinity) + seconds - now)
      return tooManyRequests(quotasOf(name, windows, statesOf(hits, now)), Math.max(0, ...waits))
    }
  }
}

export type LimitInRow = ReturnType<typeof limitInRow>

const NOW = 'extract(epoch FROM now())::float8'
