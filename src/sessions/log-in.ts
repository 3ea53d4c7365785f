import type { AuditStore } from '../audit/store.ts'
import { Problem } from '../errors.ts'
import type { ClientInfo } from '../http/client-info.ts'
import type { QueueTicket } from '../passwords/hash-queue.ts'
import type { Passwords } from '../passwords/compose.ts'
import type { Tokens } from '../tokens/compose.ts'
import type { Login, OpenSession } from './open-session.ts'
import type { Channel, OpenSessionStore } from './open-session-store.ts'

/** An attempt to log in with a password. */
export interface LoginAttempt {
  /** Normalised. */
  email: string
  password: string
  channel: Channel
  /** The audience of the access token; by default the service's own. */
  audience: string | undefined
  client: ClientInfo
  /** Whether the account has logged in from this client before. */
  isKnownDevice (userId: string): boolean
  /** Aborts when the client disconnects. */
  signal: AbortSignal
}

export type LogIn = (attempt: LoginAttempt) => Promise<Login>

export interface LogInDeps {
  store: OpenSessionStore
  passwords: Passwords
  openSession: OpenSession
  mintFor: Tokens['mintFor']
  audit: AuditStore
}

export function createLogIn ({ store, passwords, openSession, mintFor, audit }: LogInDeps): LogIn {
  return async function logIn ({ email, password, channel, audience, client, isKnownDevice, signal }) {
    const mint = await mintFor(audience)
    const account = await store.findAccount(email)
    const ticket = { address: client.ip, known: account !== null && isKnownDevice(account.id), signal }
    // An unknown account costs the same hash as a known one, so that the time tells nothing.
    const matches = await passwords.verify(account?.passwordHash, password, ticket)
    if (account === null || account.passwordHash === null || account.disabledAt !== null || !matches) return await refuse(account?.id, client)

    const passwordHash = await renewHash(account.id, account.passwordHash, password, ticket)
    const login = await openSession({ id: account.id, passwordHash }, channel, client, mint)
    return login ?? await retry(passwordHash)

    // Another login of the account may have renewed the hash meanwhile: then the password still matches.
    async function retry (refusedHash: string): Promise<Login> {
      const now = await store.findAccount(email)
      const isRenewed = now !== null && now.passwordHash !== null && now.passwordHash !== refusedHash && now.disabledAt === null
      if (!isRenewed || now.passwordHash === null || !await passwords.verify(now.passwordHash, password, ticket)) return await refuse(now?.id, client)
      return await openSession({ id: now.id, passwordHash: now.passwordHash }, channel, client, mint) ?? await refuse(now.id, client)
    }
  }

  /** Renews a hash that was made with older parameters, unless the queue is full. @returns the hash that is stored now */
  async function renewHash (userId: string, from: string, password: string, ticket: QueueTicket): Promise<string> {
    if (!passwords.isStale(from)) return from
    const to = await passwords.hash(password, ticket).catch(skipWhenBusy)
    return to !== undefined && await store.replacePasswordHash({ userId, from, to }) ? to : from
  }

  async function refuse (subjectId: string | undefined, client: ClientInfo): Promise<never> {
    await audit.record({ action: 'login', outcome: 'failure', subjectId, ...client })
    throw new Problem('invalid_credentials')
  }
}

function skipWhenBusy (error: unknown): undefined {
  if (error instanceof Problem && error.code === 'too_busy') return undefined
  throw error
}
