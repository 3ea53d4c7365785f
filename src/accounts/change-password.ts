import type { AuditStore } from '../audit/store.ts'
import { invalidField, Problem } from '../errors.ts'
import type { ClientInfo } from '../http/client-info.ts'
import type { QueueTicket } from '../passwords/hash-queue.ts'
import type { Passwords } from '../passwords/compose.ts'
import type { LedgerSync } from '../revocation/ledger-sync.ts'
import type { Login } from '../sessions/open-session.ts'
import type { PasswordStore } from '../sessions/password-store.ts'
import { PRESENCE_MAX_AGE, type PresentSession } from '../sessions/presence.ts'
import type { SessionRenewal } from '../sessions/renew-session.ts'
import type { SessionCredential } from '../sessions/session-credential.ts'
import type { AccountStore } from './store.ts'

/** A request for another password. */
export interface PasswordRequest {
  /** May be missing where there is none yet. */
  currentPassword?: string | undefined
  newPassword: string
  /** 128 or more random bits that the client stored before it sent them. */
  idempotencyKey: string | undefined
  client: ClientInfo
  /** Aborts when the client has gone. */
  signal: AbortSignal
}

/** Changing a password. The session that does it goes on with new credentials, all others end. */
export interface ChangePassword {
  change (present: PresentSession, request: PasswordRequest): Promise<Login>
  /** The answer that was lost, to the same request under the same key, which the proofs are no longer good for. */
  repeat (shown: readonly SessionCredential[], request: PasswordRequest): Promise<Login | undefined>
}

export interface ChangePasswordDeps {
  accounts: AccountStore
  passwordStore: PasswordStore
  renewal: SessionRenewal
  passwords: Passwords
  propagation: Pick<LedgerSync, 'apply'>
  audit: AuditStore
}

export function createChangePassword ({ accounts, passwordStore, renewal, passwords, propagation, audit }: ChangePasswordDeps): ChangePassword {
  return { change, repeat }

  async function change (present: PresentSession, request: PasswordRequest): Promise<Login> {
    const { userId, sessionId, credential } = present
    const { newPassword, client } = request
    const account = await accounts.findWithPassword(userId)
    if (account === null || !await isPermitted(account.passwordHash, request)) {
      await audit.record({ action: 'password_change', outcome: 'failure', actorId: userId, subjectId: userId, sessionId, ...client })
      throw new Problem('invalid_credentials')
    }
    passwords.assess(newPassword, { email: account.email, ...account.name !== null && { name: account.name } }, 'newPassword')

    const to = await passwords.hash(newPassword, placeOf(request))
    const next = renewal.prepare(credential, sessionId, attemptOf(request))
    const replaced = await passwordStore.replace({ userId, sessionId, from: account.passwordHash, to, held: credential, next, keyId: renewal.keyId }, client)
    // The same request may have been sent twice at once.
    if (replaced === undefined) return await repeat([credential], request) ?? refuse()
    propagation.apply(replaced.revocations)
    return renewal.complete(replaced)
  }

  async function repeat (shown: readonly SessionCredential[], request: PasswordRequest): Promise<Login | undefined> {
    const attempt = attemptOf(request)
    const renewed = attempt === undefined ? undefined : await renewal.findRenewed(shown, attempt)
    const account = renewed && await accounts.findWithPassword(renewed.session.userId)
    if (renewed === undefined || !account) return undefined
    return await passwords.verify(account.passwordHash, request.newPassword, placeOf(request)) ? renewal.complete(renewed) : undefined
  }

  async function isPermitted (passwordHash: string | null, request: PasswordRequest): Promise<boolean> {
    const { currentPassword } = request
    if (currentPassword !== undefined) return await passwords.verify(passwordHash, currentPassword, placeOf(request)) && passwordHash !== null
    if (passwordHash !== null) throw invalidField('currentPassword', 'is required')
    return true
  }
}

function placeOf ({ client, signal }: PasswordRequest): QueueTicket {
  return { address: client.ip, known: true, signal }
}

function attemptOf ({ idempotencyKey }: PasswordRequest): string | undefined {
  return idempotencyKey === undefined ? undefined : `password:${idempotencyKey}`
}

// Another password was set meanwhile, or the session went on or ended.
function refuse (): never {
  throw new Problem('insufficient_user_authentication', { maxAge: PRESENCE_MAX_AGE })
}
