import type { KnownClient } from '../client-auth-store.ts'
import type { ClientCredential } from '../client-authentication.ts'
import type { DisconnectReason } from './sse-subscriber.ts'

// Milliseconds.
const CHECK_EVERY = 5_000

// The longest delay of a timer in Node.
const MAX_DELAY = 2 ** 31 - 1

/** Finds clients by their ids, those that are there. */
export type FindClients = (ids: readonly string[]) => Promise<ReadonlyArray<Pick<KnownClient, 'id' | 'scopes' | 'secretHash' | 'previousHash'>>>

export interface CredentialWatchDeps {
  find: FindClients
  /** Milliseconds. */
  checkEvery?: number
}

/** The credential of a subscriber. */
export interface WatchedCredential {
  clientId: string
  credential: ClientCredential
  /** The scope that the client has to have. */
  scope: string
  /** Milliseconds until it expires; `null` where it does not. */
  expiresIn: number | null
}

type OnEnd = (reason: DisconnectReason) => void

/**
 * Calls `onEnd` when a credential has expired or was withdrawn. The clients of all that are watched are looked up by one query:
 * a secret that is replaced is told to nobody. That a token was revoked is told by the ledger.
 *
 * @returns a function that watches one, and returns a function that ends the watch
 */
export function createCredentialWatch ({ find, checkEvery = CHECK_EVERY }: CredentialWatchDeps) {
  const watched = new Map<WatchedCredential, OnEnd>()
  let isChecking = false
  let timer: NodeJS.Timeout | undefined

  // With drift, so that instances do not ask together.
  function schedule (): void {
    if (watched.size > 0 && !isChecking) timer ??= setTimeout(() => { void check() }, checkEvery * (0.8 + Math.random() * 0.4))
  }

  async function check (): Promise<void> {
    timer = undefined
    isChecking = true
    // Who comes meanwhile may have a secret that is newer than what is found.
    const asked = [...watched]
    // An unavailable database withdraws nothing.
    const found = await find([...new Set(asked.map(([{ clientId }]) => clientId))]).catch(() => undefined)
    isChecking = false
    schedule()
    if (found === undefined) return
    const clients = new Map(found.map(client => [client.id, client]))
    for (const [one, onEnd] of asked) if (watched.has(one) && !isGood(one, clients.get(one.clientId))) onEnd('credential withdrawn')
  }

  return function watch (one: WatchedCredential, onEnd: OnEnd): () => void {
    const { expiresIn } = one
    const expiry = expiresIn === null ? undefined : setTimeout(() => onEnd('credential expired'), Math.min(Math.max(0, expiresIn), MAX_DELAY))
    watched.set(one, onEnd)
    schedule()

    return () => {
      clearTimeout(expiry)
      watched.delete(one)
      if (watched.size > 0) return
      clearTimeout(timer)
      timer = undefined
    }
  }
}

type FoundClient = Awaited<ReturnType<FindClients>>[number]

// Whoever connected has shown the secret: its hash tells nobody anything new.
function isGood ({ credential, scope }: WatchedCredential, client: FoundClient | undefined): boolean {
  if (client === undefined || !client.scopes.includes(scope)) return false
  return !('secretHash' in credential) || [client.secretHash, client.previousHash].some(hash => hash !== null && credential.secretHash.equals(hash))
}
