import type { AuditStore } from '../audit/store.ts'
import { Problem } from '../errors.ts'
import type { ClientInfo } from '../http/client-info.ts'
import { whileReserved, type ReportLimits } from '../limits/attempt-limiter.ts'
import type { KnownDevice } from '../limits/login-guard.ts'
import type { QueueTicket } from '../passwords/hash-queue.ts'
import type { Passwords } from '../passwords/compose.ts'
import type { Tokens } from '../tokens/compose.ts'
import type { AdmitLogin } from './login-attempt.ts'
import type { Login, OpenSession } from './open-session.ts'
import type { Channel, LoginAccount, OpenSessionStore } from './open-session-store.ts'

/** An attempt to log in with a password. */
export interface LoginAttempt {
  /** Normalised. */
  email: string
  password: string
  channel: Channel
  /** The audience of the access token; by default the service's own. */
  audience: string | undefined
  client: ClientInfo
  /** The devices that the request shows, whosever they are. */
  devices: readonly KnownDevice[]
  /** Gets the headers of the limits. */
  report: ReportLimits
  /** Aborts when the client disconnects. */
  signal: AbortSignal
}

export type LogIn = (attempt: LoginAttempt) => Promise<Login>

export interface LogInDeps {
  store: OpenSessionStore
  admit: AdmitLogin
  passwords: Passwords
  openSession: OpenSession
  mintFor: Tokens['mintFor']
  /** Whether accounts are for verified addresses only. */
  requireVerifiedEmail: boolean
  audit: AuditStore
}

// Of a right password an attempt fails only when the account was changed at that moment: while instances with different
// costs run side by side, each renews the hashes of the other.
const MAX_ATTEMPTS = 5

export function createLogIn ({ store, admit, passwords, openSession, mintFor, requireVerifiedEmail, audit }: LogInDeps): LogIn {
  return async function logIn ({ email, password, channel, audience, client, devices, report, signal }) {
    const attempt = await admit({ email, client, devices, report })
    const { account, settlement } = attempt
    const isKnown = devices.some(({ owner }) => owner === account?.id)
    const ticket = { address: client.ip, account: isKnown ? account?.id : undefined, signal }
    // An unknown account costs the same hash as a known one, so that the time tells nothing. An error means that no hash has
    // begun: the queue was full, or the client left before its turn. Whoever leaves later has made a guess, and it counts.
    const matches = await whileReserved(attempt, () => passwords.verify(account?.passwordHash, password, ticket))
    if (!matches || !isOpen(account)) return refuse(account?.id, client)

    const { id } = account
    await attempt.countSuccess(id).catch((error: unknown) => recordRefusal(error, id, client))
    if (account.deletionDueAt !== null) return await refuseScheduled(account.deletionDueAt, id, attempt, client)
    if (requireVerifiedEmail && !account.emailVerified) return await refuseUnverified(id, attempt, client)
    const login = await whileReserved(attempt, async () => {
      // Not before: who has no account here must not find out the names of clients.
      const mint = await mintFor(audience).catch(async (error: unknown) => await refuseAudience(error, id, attempt, client))
      let passwordHash = await renewHash(id, account.passwordHash, password, ticket)
      for (let tries = 0; tries < MAX_ATTEMPTS; tries++) {
        const opened = await openSession({ id, isKnownDevice: isKnown, passwordHash, settlement }, channel, client, mint)
        if (opened !== undefined) return opened
        // The account has changed meanwhile. Where another login has renewed the hash, the password still matches.
        const now = await store.findAccount(email)
        if (now?.id !== id || !isOpen(now) || !await passwords.verify(now.passwordHash, password, ticket)) return refuse(now?.id, client)
        if (now.deletionDueAt !== null) return await refuseScheduled(now.deletionDueAt, id, attempt, client)
        passwordHash = now.passwordHash
      }
      throw new Problem('unavailable')
    })
    await attempt.finish()
    return login
  }

  /** Renews a hash that was made with older parameters, unless the queue is full. @returns the hash that is stored now */
  async function renewHash (userId: string, from: string, password: string, ticket: QueueTicket): Promise<string> {
    if (!passwords.isStale(from)) return from
    const to = await passwords.hash(password, ticket).catch(skipWhenBusy)
    return to !== undefined && await store.replacePasswordHash({ userId, from, to }) ? to : from
  }

  // The password was right, and may have been guessed: that leaves a trace too.
  async function refuseAudience (error: unknown, subjectId: string, attempt: { giveBack (): Promise<void> }, client: ClientInfo): Promise<never> {
    if (!(error instanceof Problem)) throw error
    await attempt.giveBack()
    return recordRefusal(error, subjectId, client)
  }

  // Only whoever knows the password finds out that the account is to be deleted, and when.
  async function refuseScheduled (dueAt: Date, subjectId: string, attempt: { giveBack (): Promise<void> }, client: ClientInfo): Promise<never> {
    await attempt.giveBack()
    return recordRefusal(new Problem('account_deletion_scheduled', { deletionDueAt: dueAt.toISOString() }), subjectId, client)
  }

  // An account of before verified addresses were required. Only whoever knows its password finds out.
  async function refuseUnverified (subjectId: string, attempt: { giveBack (): Promise<void> }, client: ClientInfo): Promise<never> {
    await attempt.giveBack()
    return recordRefusal(new Problem('email_unverified'), subjectId, client)
  }

  function recordRefusal (error: unknown, subjectId: string, client: ClientInfo): never {
    if (error instanceof Problem) audit.recordRepeatable({ action: 'login', outcome: 'failure', subjectId, detail: { code: error.code }, ...client })
    throw error
  }

  function refuse (subjectId: string | undefined, client: ClientInfo): never {
    audit.recordRepeatable({ action: 'login', outcome: 'failure', subjectId, ...client })
    throw new Problem('invalid_credentials')
  }
}

function isOpen (account: LoginAccount | null): account is LoginAccount & { passwordHash: string } {
  return account !== null && account.passwordHash !== null && account.disabledAt === null
}

function skipWhenBusy (error: unknown): undefined {
  if (error instanceof Problem && error.code === 'too_busy') return undefined
  throw error
}
