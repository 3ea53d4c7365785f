import type { Database } from './database.ts'
import { mayHaveCommitted } from './errors.ts'

/** A time in which nobody knew of what was written whether it was committed. Milliseconds of the monotonic clock. */
export interface Outage {
  /** When the first statement that failed had begun. */
  beganAt: number
  /** When the first statement after that had written something; the present while it lasts. Ten minutes after the beginning at most. */
  endedAt: number
}

/** Tells what this process saw of the database's last outage. */
export type LastOutage = () => Outage | undefined

// Failures that are no further apart are of one outage, in ms.
const GAP = 30_000
// In ms. While it lasts, the reuse of a token that was rotated in it goes unseen.
const LONGEST = 600_000
// Not one that reads besides, which returns rows also where it wrote none.
const WRITES = /^\s*(INSERT|UPDATE|DELETE)\b/

/**
 * Has the statements of a database watched. Nothing that a client can bring about counts as an outage, such as a lock or a
 * connection that is not had in time.
 *
 * @param now milliseconds of a monotonic clock
 * @returns the same database, and what was seen
 */
export function watchOutages (database: Database, now: () => number = () => performance.now()): { database: Database, lastOutage: LastOutage } {
  let outage: { beganAt: number, endedAt: number | undefined } | undefined

  async function query<Row> (...statement: Parameters<Database['query']>): Promise<Row[]> {
    const beganAt = now()
    try {
      const rows = await database.query<Row>(...statement)
      // A commit that wrote nothing waits for no standby, nor does a read.
      if (outage?.endedAt === undefined && rows.length > 0 && WRITES.test(statement[0].text)) end()
      return rows
    } catch (error) {
      if (mayHaveCommitted(error)) extend(beganAt)
      throw error
    }
  }

  function extend (beganAt: number): void {
    const last = lastOutage()
    const isSame = last !== undefined && beganAt <= last.endedAt + GAP && now() < last.beganAt + LONGEST
    outage = { beganAt: isSame ? Math.min(last.beganAt, beganAt) : beganAt, endedAt: undefined }
  }

  function end (): void {
    if (outage !== undefined) outage.endedAt = now()
  }

  function lastOutage (): Outage | undefined {
    return outage && { beganAt: outage.beganAt, endedAt: Math.min(outage.endedAt ?? now(), outage.beganAt + LONGEST) }
  }

  return { database: { ...database, query }, lastOutage }
}
