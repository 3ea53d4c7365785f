import type { AuditStore } from '../audit/store.ts'
import { Problem } from '../errors.ts'
import type { ClientInfo } from '../http/client-info.ts'
import type { QueueTicket } from '../passwords/hash-queue.ts'
import type { Passwords } from '../passwords/compose.ts'
import type { Tokens } from '../tokens/compose.ts'
import type { Login, OpenSession } from './open-session.ts'
import type { Channel, OpenSessionStore } from './open-session-store.ts'

/** Somebody's attempt to log in. */
export interface LoginAttempt {
  /** Normalised. */
  email: string
  password: string
  channel: Channel
  /** Whom the access token is for; the service itself where nobody is named. */
  audience: string | undefined
  client: ClientInfo
  /** Whether the account has logged in from this client before. */
  knows (userId: string): boolean
  /** Aborts when the client has gone. */
  signal: AbortSignal
}

export type LogIn = (attempt: LoginAttempt) => Promise<Login>

export interface LogInDeps {
  sessions: OpenSessionStore
  passwords: Passwords
  openSession: OpenSession
  mintFor: Tokens['mintFor']
  audit: AuditStore
}

export function createLogIn ({ sessions, passwords, openSession, mintFor, audit }: LogInDeps): LogIn {
  return async function logIn ({ email, password, channel, audience, client, knows, signal }) {
    const mint = await mintFor(audience)
    const account = await sessions.findAccount(email)
    const place = { address: client.ip, known: account !== null && knows(account.id), signal }
    // An unknown account costs the same hash as a known one, so time tells nothing.
    const matches = await passwords.verify(account?.passwordHash, password, place)
    if (account === null || account.passwordHash === null || account.disabledAt !== null || !matches) return await refuse(account?.id, client)

    const passwordHash = await renew(account.id, account.passwordHash, password, place)
    const login = await openSession({ id: account.id, passwordHash }, channel, client, mint)
    return login ?? await tryAgain(passwordHash)

    // The hash may have been renewed by another login of the same person meanwhile: then the password still matches.
    async function tryAgain (refusedHash: string): Promise<Login> {
      const now = await sessions.findAccount(email)
      const isRenewed = now !== null && now.passwordHash !== null && now.passwordHash !== refusedHash && now.disabledAt === null
      if (!isRenewed || now.passwordHash === null || !await passwords.verify(now.passwordHash, password, place)) return await refuse(now?.id, client)
      return await openSession({ id: now.id, passwordHash: now.passwordHash }, channel, client, mint) ?? await refuse(now.id, client)
    }
  }

  /** Brings a hash up to date, where it is behind and there is time for it. @returns the hash that now stands */
  async function renew (userId: string, from: string, password: string, place: QueueTicket): Promise<string> {
    if (!passwords.isStale(from)) return from
    const to = await passwords.hash(password, place).catch(keepWhenBusy)
    return to !== undefined && await sessions.replacePasswordHash({ userId, from, to }) ? to : from
  }

  async function refuse (subjectId: string | undefined, client: ClientInfo): Promise<never> {
    await audit.record({ action: 'login', outcome: 'failure', subjectId, ...client })
    throw new Problem('invalid_credentials')
  }
}

function keepWhenBusy (error: unknown): undefined {
  if (error instanceof Problem && error.code === 'too_busy') return undefined
  throw error
}
