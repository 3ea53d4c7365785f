import type { RateWindow } from '../config/rate-limits.ts'

/** A key that hits are counted under. */
export interface AttemptKey {
  /** Names a rule and, by a MAC, a subject. */
  readonly key: string
  readonly windows: readonly RateWindow[]
  /** Whether the delay between hits grows. */
  readonly isDelayed: boolean
}

/** How full a window is. */
export interface WindowState {
  /** Admitted hits, this one included. */
  readonly used: number
  /** Seconds until the oldest of them leaves the window. */
  readonly freesIn: number
}

/** A key after an attempt. */
export interface KeyState {
  /** Seconds until this key admits a hit; 0 where it did. */
  readonly wait: number
  /** In the order of the key's windows. */
  readonly windows: readonly WindowState[]
  /** Identifies the hit among those of its key, where it was admitted. */
  readonly stamp: number
}

/** One hit that was admitted. */
export interface Hit {
  readonly key: string
  readonly stamp: number
}

/** What came of an attempt. */
export interface AttemptOutcome {
  /** Whether every key admitted it. Otherwise nothing was written. */
  readonly isAdmitted: boolean
  /** In the order of the keys. */
  readonly keys: readonly KeyState[]
  /** The store that has counted it. */
  readonly store: AttemptStore
}

/** Counts hits: in Postgres, in Redis or in memory. */
export interface AttemptStore {
  /** The store whose tables a statement of the service's database can write. */
  readonly isDatabase: boolean
  /** Counts one hit under each key, or under none where any of them is full. */
  reserve (keys: readonly AttemptKey[]): Promise<AttemptOutcome>
  /** Takes hits back. */
  giveBack (hits: readonly Hit[]): Promise<void>
  /** Forgets all hits under some keys. */
  forget (keys: readonly string[]): Promise<void>
}

/** The longest time, in seconds, that a hit under a key matters. */
export function retention ({ windows, isDelayed }: AttemptKey): number {
  return Math.max(...windows.map(({ seconds }) => seconds), isDelayed ? DELAY_PERIOD : 0)
}

/** The delay grows from this hit on, of those in the last hour: 1, 2, 4 and so on seconds, up to `MAX_DELAY`. */
export const FIRST_DELAYED_HIT = 5
/** Seconds. */
export const DELAY_PERIOD = 3600
/** Seconds. */
export const MAX_DELAY = 900
