import { Problem } from '../../errors.ts'
import type { DisconnectReason } from './sse-subscriber.ts'

const CHECK_EVERY = 30_000

// The longest delay of a timer in Node.
const MAX_DELAY = 2 ** 31 - 1

/** The credential of a subscriber. */
export interface WatchedCredential {
  /** Milliseconds until it expires; `null` where it does not. */
  expiresIn: number | null
  /** Authenticates with it again. @throws Problem 401 or 403 when it is no longer valid */
  check (): Promise<unknown>
  /** Milliseconds. */
  checkEvery?: number
}

/** Calls `onEnd` when a credential has expired or was withdrawn. @returns a function that ends the watch */
export function watchCredentialExpiry ({ expiresIn, check, checkEvery = CHECK_EVERY }: WatchedCredential, onEnd: (reason: DisconnectReason) => void): () => void {
  const expiry = expiresIn === null ? undefined : setTimeout(() => onEnd('credential expired'), Math.min(Math.max(0, expiresIn), MAX_DELAY))
  // With jitter: subscribers may have connected together, from a service that was restarted.
  const checking = setInterval(() => {
    check().catch((error: unknown) => {
      // An unavailable database withdraws nothing.
      if (error instanceof Problem && error.statusCode < 500) onEnd('credential withdrawn')
    })
  }, checkEvery * (0.8 + Math.random() * 0.4))

  return () => {
    clearTimeout(expiry)
    clearInterval(checking)
  }
}
