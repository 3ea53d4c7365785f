import type { AuditStore } from '../audit/store.ts'
import { Problem } from '../errors.ts'
import type { ClientInfo } from '../http/client-info.ts'
import type { AttemptLimiter, ReportLimits } from '../limits/attempt-limiter.ts'
import type { KnownDevice } from '../limits/login-guard.ts'
import { countGuess } from '../mail-requests/count-guess.ts'
import type { MailedSecretStore } from '../one-time-tokens/mailed-secret-store.ts'
import type { LedgerSync } from '../revocation/ledger-sync.ts'
import type { Login, SessionIssuer } from '../sessions/open-session.ts'
import type { Channel } from '../sessions/open-session-store.ts'
import type { SessionNotices } from '../sessions/session-notices.ts'
import type { Tokens } from '../tokens/compose.ts'
import type { CodeLoginData, CodeLoginStore } from './code-login-store.ts'

/** A mailed code, and the session that it is to open. */
export interface CodeLogin {
  proof: { requestId: string, code: string }
  channel: Channel
  /** The audience of the access token; by default the service's own. */
  audience: string | undefined
  client: ClientInfo
  /** The devices that the request shows, whosever they are. */
  devices: readonly KnownDevice[]
  /** Gets the headers of the limit. */
  report: ReportLimits
}

export interface LogInByCodeDeps {
  limiter: AttemptLimiter
  store: Pick<CodeLoginStore, 'open'>
  secrets: Pick<MailedSecretStore, 'show'>
  issuer: SessionIssuer
  notices: Pick<SessionNotices, 'newDevice' | 'wake'>
  mintFor: Tokens['mintFor']
  ledgerSync: Pick<LedgerSync, 'apply'>
  audit: Pick<AuditStore, 'recordRepeatable'>
}

export type LogInByCode = (login: CodeLogin) => Promise<Login>

/** Logs in by a mailed code. The failures that lock a password neither count here nor keep anybody out, and stay as they are. */
export function createLogInByCode ({ limiter, store, secrets, issuer, notices, mintFor, ledgerSync, audit }: LogInByCodeDeps): LogInByCode {
  /** @throws Problem `invalid_code`, `unknown_audience`, `too_many_requests` */
  return login => countGuess(limiter, 'code', login, () => carryOut(login))

  async function carryOut ({ proof, channel, audience, client, devices }: CodeLogin): Promise<Login> {
    const shown = await secrets.show<CodeLoginData>(['login_code'], proof)
    if (!shown.isGood) return refuse(shown.userId, client)
    const { secret } = shown
    // Not before: who has no code must not find out the names of clients.
    const prepared = issuer.prepare(channel, client, await mintFor(audience))
    const isKnown = devices.some(({ owner }) => owner === secret.userId)
    const opened = await store.open(secret, prepared.session, notices.newDevice(client, isKnown), client)
    if (opened === undefined) return refuse(secret.userId, client)
    ledgerSync.apply(opened.revocations)
    if (opened.stored.isNoticed === true) notices.wake()
    return await issuer.issue(prepared, opened.stored, client)
  }

  function refuse (subjectId: string | undefined, client: ClientInfo): never {
    // What never was leaves nothing behind.
    if (subjectId !== undefined) audit.recordRepeatable({ action: 'login', outcome: 'failure', subjectId, detail: { code: 'invalid_code' }, ...client })
    throw new Problem('invalid_code')
  }
}
