import { Problem } from '../../errors.ts'
import type { DisconnectReason } from './sse-subscriber.ts'

const CHECK_EVERY = 30_000

// The longest that a timer of node's runs.
const LONGEST_TIMER = 2 ** 31 - 1

/** The credential of somebody who stays. */
export interface WatchedCredential {
  /** Milliseconds that it has left; `null` where it does not end by itself. */
  endsIn: number | null
  /** Checks it again. @throws Problem 401 or 403 when it is good no longer */
  check (): Promise<unknown>
  /** Milliseconds. */
  checkEvery?: number
}

/** Tells when a credential is good no longer, by its expiry or by being withdrawn. @returns what ends the watch */
export function watchCredentialExpiry ({ endsIn, check, checkEvery = CHECK_EVERY }: WatchedCredential, onEnd: (why: DisconnectReason) => void): () => void {
  const expiry = endsIn === null ? undefined : setTimeout(() => onEnd('credential expired'), Math.min(Math.max(0, endsIn), LONGEST_TIMER))
  // Not all at the same moment: they may have come together, from a service that was restarted.
  const checking = setInterval(() => {
    check().catch((error: unknown) => {
      // A database that does not answer withdraws nothing.
      if (error instanceof Problem && error.statusCode < 500) onEnd('credential withdrawn')
    })
  }, checkEvery * (0.8 + Math.random() * 0.4))

  return () => {
    clearTimeout(expiry)
    clearInterval(checking)
  }
}
