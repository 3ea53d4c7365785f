import type { AuditStore } from '../audit/store.ts'
import { Problem } from '../errors.ts'
import type { ClientDetails } from '../http/client-details.ts'
import type { Passwords } from '../passwords/passwords.ts'
import type { Login, OpenSession } from './open-session.ts'
import type { Channel, SessionStore } from './store.ts'

/** Somebody's attempt to log in. */
export interface LoginAttempt {
  /** Normalised. */
  email: string
  password: string
  channel: Channel
  client: ClientDetails
  /** Whether the account has logged in from this client before. */
  knows (userId: string): boolean
  /** Aborts when the client has gone. */
  signal: AbortSignal
}

export type LogIn = (attempt: LoginAttempt) => Promise<Login>

/** What logging in takes. */
export interface LogInParts {
  sessions: SessionStore
  passwords: Passwords
  openSession: OpenSession
  audit: AuditStore
}

export function createLogIn ({ sessions, passwords, openSession, audit }: LogInParts): LogIn {
  return async function logIn ({ email, password, channel, client, knows, signal }) {
    const account = await sessions.findAccount(email)
    const place = { address: client.ip, known: account !== null && knows(account.id), signal }
    // An unknown account costs the same hash as a known one, so time tells nothing.
    const matches = await passwords.verify(account?.passwordHash, password, place)
    if (account === null || account.passwordHash === null || account.disabledAt !== null || !matches) return await refuse(account?.id, client)

    let { passwordHash } = account
    if (passwords.isStale(passwordHash)) {
      const renewed = await passwords.hash(password, place)
      await sessions.replacePasswordHash({ userId: account.id, from: passwordHash, to: renewed })
      passwordHash = renewed
    }
    const login = await openSession({ id: account.id, passwordHash }, channel, client)
    return login ?? await refuse(account.id, client)
  }

  async function refuse (subjectId: string | undefined, client: ClientDetails): Promise<never> {
    await audit.record({ action: 'login', outcome: 'failure', subjectId, ...client })
    throw new Problem('invalid_credentials')
  }
}
