import type { AuditStore } from '../audit/store.ts'
import { Problem } from '../errors.ts'
import type { ClientInfo } from '../http/client-info.ts'
import type { AttemptLimiter, ReportLimits } from '../limits/attempt-limiter.ts'
import { countGuess } from '../mail-requests/count-guess.ts'
import type { MailedProof, MailedSecretStore, PendingSecret } from '../one-time-tokens/mailed-secret-store.ts'
import type { Passwords } from '../passwords/compose.ts'
import type { Login, SessionIssuer } from '../sessions/open-session.ts'
import type { Channel } from '../sessions/open-session-store.ts'
import type { Tokens } from '../tokens/compose.ts'
import type { PendingRegistration, RegistrationStore } from './registration-store.ts'

/** What was mailed, shown by whoever registered. */
export interface Confirmation {
  /** A link shows the mailbox, and not that its reader is who registered: their password has to be beside it. */
  proof: { token: string, password: string } | Exclude<MailedProof, { token: string }>
  channel: Channel
  /** The audience of the access token; by default the service's own. */
  audience: string | undefined
  client: ClientInfo
  /** Aborts when the client disconnects. */
  signal: AbortSignal
  /** Gets the headers of the limit. */
  report: ReportLimits
}

export interface ConfirmRegistrationDeps {
  limiter: AttemptLimiter
  store: Pick<RegistrationStore, 'create'>
  secrets: Pick<MailedSecretStore, 'showPending'>
  passwords: Passwords
  issuer: SessionIssuer
  mintFor: Tokens['mintFor']
  audit: Pick<AuditStore, 'recordRepeatable'>
}

export type ConfirmRegistration = ReturnType<typeof createConfirmRegistration>

export function createConfirmRegistration ({ limiter, store, secrets, passwords, issuer, mintFor, audit }: ConfirmRegistrationDeps) {
  return {
    /** Looks at a link, and uses up nothing. @returns the address @throws Problem where the link is no good */
    async look (token: string): Promise<{ email: string }> {
      const { data: { email } } = await open({ token })
      return { email }
    },

    /**
     * Makes the account, and logs in.
     *
     * @throws Problem `link_invalid`, `link_used`, `link_expired`, `invalid_code`, `invalid_credentials`, `email_taken`,
     * `unknown_audience`, `too_many_requests`, `too_busy`
     */
    confirm: (confirmation: Confirmation): Promise<Login> => countGuess(limiter, 'code', confirmation, () => carryOut(confirmation))
  }

  async function carryOut ({ proof, channel, audience, client, signal }: Confirmation): Promise<Login> {
    const secret = await open(proof)
    if ('token' in proof && !await passwords.verify(secret.data.passwordHash, proof.password, { address: client.ip, signal })) throw new Problem('invalid_credentials')
    const mint = await mintFor(audience)
    const prepared = issuer.prepare(channel, client, mint)
    const created = await store.create(secret, prepared.session)
    if (created === 'used') {
      // Another request was faster: this one says so.
      await open(proof)
      throw new Problem('unavailable')
    }
    if (created === 'taken') {
      audit.recordRepeatable({ action: 'register', outcome: 'failure', detail: { code: 'email_taken' }, ...client })
      throw new Problem('email_taken')
    }
    return await issuer.issue(prepared, created, client)
  }

  async function open (proof: MailedProof): Promise<PendingSecret<PendingRegistration>> {
    const shown = await secrets.showPending<PendingRegistration>('registration', proof)
    if (shown.isGood) return shown.secret
    throw new Problem(shown.refusal)
  }
}
