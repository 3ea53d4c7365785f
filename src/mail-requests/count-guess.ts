import type { RateRule } from '../config/rate-limits.ts'
import { Problem } from '../errors.ts'
import type { ClientInfo } from '../http/client-info.ts'
import type { AttemptLimiter, ReportLimits } from '../limits/attempt-limiter.ts'
import { byNetwork } from '../limits/limit-by-network.ts'

/** Somebody who shows what was mailed, or guesses it. */
export interface Guesser {
  client: ClientInfo
  /** Gets the headers of the limit. */
  report: ReportLimits
}

const GUESSES = ['link_invalid', 'link_used', 'link_expired', 'invalid_code', 'invalid_credentials'] as const

/**
 * Does what a mailed link or code is for, within a limit by network. It counts only where the secret was wrong: one that was
 * right is no guess, whatever came of it.
 *
 * @throws Problem 429 `too_many_requests`
 */
export async function countGuess<T> ({ reserve }: AttemptLimiter, rule: RateRule, { client, report }: Guesser, work: () => Promise<T>): Promise<T> {
  const reservation = await reserve([byNetwork(rule, client.network)], report)
  try {
    const result = await work()
    await reservation.giveBack()
    return result
  } catch (error) {
    if (!(error instanceof Problem && GUESSES.some(code => code === error.code))) await reservation.giveBack()
    throw error
  }
}
