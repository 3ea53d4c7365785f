import { createHmacSha256 } from 'countersign-verifier/internal'
import type { RateLimits, RateRule } from '../config/rate-limits.ts'
import type { Log } from '../database/database.ts'
import { Problem } from '../errors.ts'
import type { AttemptKey, AttemptOutcome, AttemptStore, Hit } from './attempt-store.ts'
import { quotasOf, rateLimitHeaders, tightest, tooManyRequests, type RateLimitHeaders } from './rate-limit-headers.ts'

/** One thing that an attempt counts for. */
export interface AttemptCount {
  readonly rule: RateRule
  /** Whom it counts against; `undefined` where that is not known, and so is not limited. */
  readonly by: readonly string[] | undefined
}

/** Gets the headers of the response. */
export type ReportLimits = (headers: RateLimitHeaders) => void

/** An attempt that was admitted, and counts until it is given back. */
export interface Reservation {
  /** Takes it back, as if there had been no attempt. It never throws: what it cannot take back goes on counting. */
  giveBack (): Promise<void>
  /** What a success takes back: all hits of a rule under this subject, and one hit of another rule. */
  settle (settlement: { forget: RateRule, giveBack: RateRule }): Settlement
}

/** What is left to do after a success. */
export interface Settlement {
  /** The parameters of `settleAttemptsSql`, for the statement of the success; `null` where another store has counted. */
  readonly values: { forgottenKey: string | null, returnedKey: string | null, returnedStamp: number | null }
  /** Does the same where another store has counted. It never throws. */
  finish (): Promise<void>
}

export interface AttemptLimiterDeps {
  limits: RateLimits
  store: AttemptStore
  /** Subjects are stored as MACs with this key: no address can be read from the store. */
  key: Uint8Array
  log: Pick<Log, 'warn'>
}

/**
 * Does what an attempt was reserved for. Where the client got no answer to it, because of a failure of ours or because it left
 * before its turn, the attempt is given back.
 */
export async function whileReserved<T> (reservation: Pick<Reservation, 'giveBack'>, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const isAnswer = error instanceof Problem && error.statusCode < 499
    if (!isAnswer) await reservation.giveBack()
    throw error
  }
}

export type AttemptLimiter = ReturnType<typeof createAttemptLimiter>

// 128 bits, in base64url.
const SUBJECT_LENGTH = 22

/** Limits whatever can be guessed or costs something. All instances that share a store together never admit more. */
export function createAttemptLimiter ({ limits, store, key, log }: AttemptLimiterDeps) {
  const mac = createHmacSha256(key)
  const keyOf = (rule: RateRule, by: readonly string[]) => `${rule}:${mac.digest([rule, ...by].join('\0')).slice(0, SUBJECT_LENGTH)}`

  /**
   * Reserves an attempt: it counts for everything in `counts`, or for nothing where it is refused. To be called before what
   * the attempt costs.
   *
   * @throws Problem 429 `too_many_requests`
   */
  async function reserve (counts: readonly AttemptCount[], report?: ReportLimits): Promise<Reservation> {
    // The network comes first: rows are locked in this order, whatever the route.
    const limited = counts.filter(({ rule, by }) => by !== undefined && limits[rule].length > 0).sort((a, b) => Number(b.rule === 'network') - Number(a.rule === 'network'))
    if (limited.length === 0) return NOTHING
    const keys = limited.map(({ rule, by = [] }): AttemptKey => ({ key: keyOf(rule, by), windows: limits[rule], isDelayed: rule === 'login' }))
    const outcome = await store.reserve(keys)
    if (!outcome.isAdmitted) throw refusal(limited, outcome)
    const quota = tightest(limited.flatMap(({ rule }, index) => quotasOf(rule, limits[rule], outcome.keys[index]?.windows)))
    if (quota !== undefined) report?.(rateLimitHeaders(quota))
    return createReservation(limited.map(({ rule }, index) => ({ rule, key: keys[index]?.key ?? '', stamp: outcome.keys[index]?.stamp ?? 0 })), outcome.store)
  }

  function refusal (limited: readonly AttemptCount[], { keys }: AttemptOutcome): Problem {
    const wait = Math.max(...keys.map(state => state.wait))
    const index = keys.findIndex(state => state.wait === wait)
    const rule = limited[index]?.rule ?? 'network'
    return tooManyRequests(quotasOf(rule, limits[rule], keys[index]?.windows), wait)
  }

  function createReservation (hits: ReadonlyArray<Hit & { rule: RateRule }>, countedBy: AttemptStore): Reservation {
    const quietly = (work: Promise<void>) => work.catch((error: unknown) => log.warn({ err: error }, 'could not give an attempt back'))
    return {
      giveBack: () => quietly(countedBy.giveBack(hits)),
      settle ({ forget, giveBack }) {
        const forgotten = hits.find(({ rule }) => rule === forget)
        const returned = hits.find(({ rule }) => rule === giveBack)
        if (countedBy.isDatabase) {
          return { values: { forgottenKey: forgotten?.key ?? null, returnedKey: returned?.key ?? null, returnedStamp: returned?.stamp ?? null }, finish: async () => {} }
        }
        return {
          values: NO_VALUES,
          async finish () {
            await Promise.all([
              forgotten && quietly(countedBy.forget([forgotten.key])),
              returned && quietly(countedBy.giveBack([returned]))
            ])
          }
        }
      }
    }
  }

  return { reserve }
}

const NO_VALUES = { forgottenKey: null, returnedKey: null, returnedStamp: null }
const NOTHING: Reservation = { giveBack: async () => {}, settle: () => ({ values: NO_VALUES, finish: async () => {} }) }
