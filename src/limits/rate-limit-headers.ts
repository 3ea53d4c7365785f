import type { RateWindow } from '../config/rate-limits.ts'
import { Problem } from '../errors.ts'
import type { WindowState } from './attempt-store.ts'

/** One window of a limit, and how much of it is left. */
export interface Quota extends RateWindow {
  /** The name of the limit. */
  readonly name: string
  readonly left: number
  /** Seconds until more is left. */
  readonly growsIn: number
}

/** The headers of a limited response, by their names in lower case. */
export type RateLimitHeaders = Readonly<Record<string, string>>

/** @returns what is left of the windows of a limit; all of one that no hit was counted in */
export function quotasOf (name: string, windows: readonly RateWindow[], states: readonly WindowState[] = []): Quota[] {
  return windows.map((window, index) => {
    const { used = 0, freesIn = window.seconds } = states[index] ?? {}
    return { ...window, name, left: Math.max(0, window.limit - used), growsIn: freesIn }
  })
}

/** @returns the refusal of an attempt that is admitted again in `wait` seconds */
export function tooManyRequests (quotas: readonly Quota[], wait: number): Problem {
  const full = tightest(quotas.map(quota => quota.left === 0 ? quota : { ...quota, left: 1 }))
  return new Problem('too_many_requests', {
    headers: { 'retry-after': String(wholeSeconds(wait)), ...full !== undefined && rateLimitHeaders({ ...full, left: 0, growsIn: wait }) }
  })
}

/** @returns the quota that refuses first: of those with the least left the one that takes longest to grow */
export function tightest (quotas: readonly Quota[]): Quota | undefined {
  return [...quotas].sort((a, b) => a.left - b.left || b.growsIn - a.growsIn)[0]
}

/** The headers for one quota (draft-ietf-httpapi-ratelimit-headers-10). */
export function rateLimitHeaders ({ name, limit, seconds, left, growsIn }: Quota): RateLimitHeaders {
  return {
    'ratelimit-policy': `"${name}";q=${limit};w=${seconds}`,
    ratelimit: `"${name}";r=${left};t=${wholeSeconds(growsIn)}`
  }
}

/** Whole seconds, at least 1: a client that waits so long is not refused for the same reason. */
export function wholeSeconds (seconds: number): number {
  return Math.max(1, Math.ceil(seconds))
}
