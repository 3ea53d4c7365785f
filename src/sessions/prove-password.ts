import type { AuditAction, AuditStore } from '../audit/store.ts'
import { Problem } from '../errors.ts'
import type { ClientInfo } from '../http/client-info.ts'
import { whileReserved, type ReportLimits } from '../limits/attempt-limiter.ts'
import type { KnownDevice } from '../limits/login-guard.ts'
import type { Passwords } from '../passwords/compose.ts'
import type { AdmitLogin } from './login-attempt.ts'

/** The password of an account, given without a session. */
export interface PasswordProof {
  /** The account that it has to open, and its address. */
  userId: string
  email: string
  password: string
  /** What it is given for. */
  action: AuditAction
  client: ClientInfo
  /** The devices that the request shows, whosever they are. */
  devices: readonly KnownDevice[]
  /** Gets the headers of the limits. */
  report: ReportLimits
  /** Aborts when the client disconnects. */
  signal: AbortSignal
}

export interface ProvePasswordDeps {
  admit: AdmitLogin
  passwords: Pick<Passwords, 'verify'>
  audit: Pick<AuditStore, 'recordRepeatable'>
}

export type ProvePassword = ReturnType<typeof createProvePassword>

/** Verifies a password that is not for a login. It counts as a guess at one, and a right one as a login. */
export function createProvePassword ({ admit, passwords, audit }: ProvePasswordDeps) {
  /** @returns the hash that it matches @throws Problem `invalid_credentials`, `too_many_requests`, `too_many_failures`, `too_busy` */
  return async function provePassword ({ userId, email, password, action, client, devices, report, signal }: PasswordProof): Promise<string> {
    const attempt = await admit({ email, client, devices, report })
    const { account } = attempt
    const isKnown = devices.some(({ owner }) => owner === userId)
    const matches = await whileReserved(attempt, () => passwords.verify(account?.passwordHash, password, { address: client.ip, account: isKnown ? userId : undefined, signal }))
    if (!matches || account === null || account.id !== userId || account.passwordHash === null || account.disabledAt !== null) {
      audit.recordRepeatable({ action, outcome: 'failure', subjectId: userId, detail: { code: 'invalid_credentials' }, ...client })
      throw new Problem('invalid_credentials')
    }
    await attempt.countSuccess(userId)
    await attempt.giveBack()
    return account.passwordHash
  }
}
