import type { AuditStore } from '../audit/store.ts'
import { invalidField, Problem } from '../errors.ts'
import type { ClientInfo } from '../http/client-info.ts'
import type { ReportLimits } from '../limits/attempt-limiter.ts'
import type { Mail } from '../mail/compose.ts'
import type { Outbox } from '../outbox/compose.ts'
import type { QueueTicket } from '../passwords/hash-queue.ts'
import type { Passwords } from '../passwords/compose.ts'
import type { LedgerSync } from '../revocation/ledger-sync.ts'
import type { Login } from '../sessions/open-session.ts'
import { recentLoginRequired, type PresentSession } from '../sessions/presence.ts'
import type { SessionRenewal } from '../sessions/renew-session.ts'
import type { SessionCredential } from '../sessions/session-credential.ts'
import type { PasswordGuesses } from './password-guesses.ts'
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
  /** Gets the headers of the limits. */
  report: ReportLimits
}

// An attempt fails only when a login renewed the hash at that moment.
const MAX_ATTEMPTS = 5

export type ChangePassword = ReturnType<typeof createChangePassword>

export interface ChangePasswordDeps {
  guesses: PasswordGuesses
  accounts: AccountStore
  passwordStore: PasswordStore
  renewal: SessionRenewal
  passwords: Passwords
  mail: Pick<Mail, 'notice'>
  outbox: Pick<Outbox, 'prepare' | 'wake'>
  ledgerSync: Pick<LedgerSync, 'apply'>
  audit: AuditStore
}

export function createChangePassword ({ guesses, accounts, passwordStore, renewal, passwords, mail, outbox, ledgerSync, audit }: ChangePasswordDeps) {
  return { change, repeat }

  /** Sets a password. The session that does it gets new credentials, all others end. */
  async function change (present: PresentSession, request: PasswordRequest): Promise<Login> {
    const { userId, sessionId, credential } = present
    const { newPassword, client } = request
    let to: string | undefined
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const account = await accounts.findWithPassword(userId)
      if (account === null || !await isPermitted({ ...account, userId, sessionId }, request)) return await repeat([credential], request) ?? refuse(present, client)
      passwords.assess(newPassword, { email: account.email, ...account.name !== null && { name: account.name } }, 'newPassword')

      if (to === undefined) await passwords.refuseBreached(newPassword, 'newPassword')
      to ??= await passwords.hash(newPassword, ticketOf(userId, request))
      const newCredential = renewal.prepare(credential, sessionId, purposeKey(request))
      const replaced = await passwordStore.replace({ userId, sessionId, from: account.passwordHash, to, credential, newCredential, keyId: renewal.keyId, notice: outbox.prepare(mail.notice('password_changed', { at: new Date().toISOString() }, { userId })) }, client)
      // A login has renewed the hash meanwhile: the current password still matches.
      if (replaced === 'hash_renewed') continue
      if (replaced === undefined) {
        // Either the same request was sent twice at once, or the session changed or ended meanwhile.
        const repeated = await repeat([credential], request)
        if (repeated === undefined) throw recentLoginRequired()
        return repeated
      }
      ledgerSync.apply(replaced.revocations)
      outbox.wake()
      return renewal.toLogin(replaced)
    }
    throw new Problem('unavailable')
  }

  function refuse ({ userId, sessionId }: PresentSession, client: ClientInfo): never {
    audit.recordRepeatable({ action: 'password_change', outcome: 'failure', actorId: userId, subjectId: userId, sessionId, ...client })
    throw new Problem('invalid_credentials')
  }

  /** Repeats a lost response, for the same request with the same Idempotency-Key. Its credentials have been replaced since. */
  async function repeat (credentials: readonly SessionCredential[], request: PasswordRequest): Promise<Login | undefined> {
    const key = purposeKey(request)
    const renewed = key === undefined ? undefined : await renewal.findRenewed(credentials, key)
    const account = renewed && await accounts.findWithPassword(renewed.session.userId)
    if (renewed === undefined || !account) return undefined
    const { client, report } = request
    const { userId, sessionId } = renewed.session
    const isSame = await guesses.check({ userId, sessionId, email: account.email, client, report }, () => passwords.verify(account.passwordHash, request.newPassword, ticketOf(userId, request)))
    return isSame ? renewal.toLogin(renewed) : undefined
  }

  async function isPermitted ({ passwordHash, ...guess }: { passwordHash: string | null, userId: string, sessionId: string, email: string }, request: PasswordRequest): Promise<boolean> {
    const { currentPassword, client, report } = request
    if (currentPassword !== undefined) {
      return await guesses.check({ ...guess, client, report }, async () => await passwords.verify(passwordHash, currentPassword, ticketOf(guess.userId, request)) && passwordHash !== null)
    }
    if (passwordHash !== null) throw invalidField('currentPassword', 'is required')
    return true
  }
}

function ticketOf (account: string, { client, signal }: PasswordRequest): QueueTicket {
  return { address: client.ip, account, signal }
}

// The same Idempotency-Key on another route is another key.
function purposeKey ({ idempotencyKey }: PasswordRequest): string | undefined {
  return idempotencyKey === undefined ? undefined : `password:${idempotencyKey}`
}
