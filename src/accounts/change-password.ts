import type { AuditStore } from '../audit/store.ts'
import { invalidField, Problem } from '../errors.ts'
import type { ClientInfo } from '../http/client-info.ts'
import type { QueueTicket } from '../passwords/hash-queue.ts'
import type { Passwords } from '../passwords/compose.ts'
import type { LedgerSync } from '../revocation/ledger-sync.ts'
import type { Login } from '../sessions/open-session.ts'
import { recentLoginRequired, type PresentSession } from '../sessions/presence.ts'
import type { SessionRenewal } from '../sessions/renew-session.ts'
import type { SessionCredential } from '../sessions/session-credential.ts'
import type { PasswordStore } from './password-store.ts'
import type { AccountStore } from './store.ts'

/** A request for a new password. */
export interface PasswordRequest {
  /** Absent where there is no password yet. */
  currentPassword?: string | undefined
  newPassword: string
  /** 128 or more random bits that the client stored before it sent them. */
  idempotencyKey: string | undefined
  client: ClientInfo
  /** Aborts when the client disconnects. */
  signal: AbortSignal
}

export type ChangePassword = ReturnType<typeof createChangePassword>

export interface ChangePasswordDeps {
  accounts: AccountStore
  passwordStore: PasswordStore
  renewal: SessionRenewal
  passwords: Passwords
  ledgerSync: Pick<LedgerSync, 'apply'>
  audit: AuditStore
}

export function createChangePassword ({ accounts, passwordStore, renewal, passwords, ledgerSync, audit }: ChangePasswordDeps) {
  return { change, repeat }

  /** Sets a password. The session that does it gets new credentials, all others end. */
  async function change (present: PresentSession, request: PasswordRequest): Promise<Login> {
    const { userId, sessionId, credential } = present
    const { newPassword, client } = request
    const account = await accounts.findWithPassword(userId)
    if (account === null || !await isPermitted(account.passwordHash, request)) {
      await audit.record({ action: 'password_change', outcome: 'failure', actorId: userId, subjectId: userId, sessionId, ...client })
      throw new Problem('invalid_credentials')
    }
    passwords.assess(newPassword, { email: account.email, ...account.name !== null && { name: account.name } }, 'newPassword')

    const to = await passwords.hash(newPassword, ticketOf(request))
    const newCredential = renewal.prepare(credential, sessionId, purposeKey(request))
    const replaced = await passwordStore.replace({ userId, sessionId, from: account.passwordHash, to, credential, newCredential, keyId: renewal.keyId }, client)
    if (replaced === undefined) {
      // Either the same request was sent twice at once, or the password or the session changed meanwhile.
      const repeated = await repeat([credential], request)
      if (repeated === undefined) throw recentLoginRequired()
      return repeated
    }
    ledgerSync.apply(replaced.revocations)
    return renewal.toLogin(replaced)
  }

  /** Repeats a lost response, for the same request with the same Idempotency-Key. Its credentials have been replaced since. */
  async function repeat (credentials: readonly SessionCredential[], request: PasswordRequest): Promise<Login | undefined> {
    const key = purposeKey(request)
    const renewed = key === undefined ? undefined : await renewal.findRenewed(credentials, key)
    const account = renewed && await accounts.findWithPassword(renewed.session.userId)
    if (renewed === undefined || !account) return undefined
    return await passwords.verify(account.passwordHash, request.newPassword, ticketOf(request)) ? renewal.toLogin(renewed) : undefined
  }

  async function isPermitted (passwordHash: string | null, request: PasswordRequest): Promise<boolean> {
    const { currentPassword } = request
    if (currentPassword !== undefined) return await passwords.verify(passwordHash, currentPassword, ticketOf(request)) && passwordHash !== null
    if (passwordHash !== null) throw invalidField('currentPassword', 'is required')
    return true
  }
}

function ticketOf ({ client, signal }: PasswordRequest): QueueTicket {
  return { address: client.ip, known: true, signal }
}

// The same Idempotency-Key on another route is another key.
function purposeKey ({ idempotencyKey }: PasswordRequest): string | undefined {
  return idempotencyKey === undefined ? undefined : `password:${idempotencyKey}`
}
