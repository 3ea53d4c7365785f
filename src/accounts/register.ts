import type { AuditStore } from '../audit/store.ts'
import { Problem, type ProblemCode } from '../errors.ts'
import type { ClientInfo } from '../http/client-info.ts'
import { whileReserved, type AttemptLimiter, type ReportLimits } from '../limits/attempt-limiter.ts'
import { byNetwork } from '../limits/limit-by-network.ts'
import type { Locale } from '../messages/locales.ts'
import type { Outbox } from '../outbox/compose.ts'
import type { OutboxRow } from '../outbox/enqueue.ts'
import type { Passwords } from '../passwords/compose.ts'
import type { Login, SessionIssuer } from '../sessions/open-session.ts'
import type { Channel } from '../sessions/open-session-store.ts'
import type { Tokens } from '../tokens/compose.ts'
import type { AccountStore } from './store.ts'

/** A request for a new account. */
export interface Registration {
  /** Normalised. */
  email: string
  password: string
  name: string | null
  /** Of the request's, the one that mails are written in. */
  locale: Locale | null
  channel: Channel
  /** The audience of the access token; by default the service's own. */
  audience: string | undefined
  client: ClientInfo
  /** Aborts when the client disconnects. */
  signal: AbortSignal
  /** Gets the headers of the limit. */
  report: ReportLimits
}

export type Register = (registration: Registration) => Promise<Login>

export interface RegisterDeps {
  limiter: AttemptLimiter
  accounts: AccountStore
  passwords: Passwords
  issuer: SessionIssuer
  mintFor: Tokens['mintFor']
  /** @returns the request for a mail to verify the address */
  prepareMail (email: string, locale: Locale | null): OutboxRow
  outbox: Pick<Outbox, 'wake'>
  audit: Pick<AuditStore, 'recordRepeatable'>
}

const AUDITED: readonly ProblemCode[] = ['email_taken', 'unknown_audience']

export function createRegister ({ limiter, accounts, passwords, issuer, mintFor, prepareMail, outbox, audit }: RegisterDeps): Register {
  return async function register ({ report, ...registration }) {
    const { email, password, name, client } = registration
    passwords.assess(password, { email, ...name !== null && { name } })
    const reservation = await limiter.reserve([byNetwork('register', client.network)], report)
    return await whileReserved(reservation, () => create(registration).catch((error: unknown) => refuse(error, client)))
  }

  // Either refusal tells whether the address is taken, and an invented audience does so without an account that would show it.
  function refuse (error: unknown, client: ClientInfo): never {
    if (error instanceof Problem && AUDITED.includes(error.code)) audit.recordRepeatable({ action: 'register', outcome: 'failure', detail: { code: error.code }, ...client })
    throw error
  }

  async function create ({ email, password, name, locale, channel, audience, client, signal }: Omit<Registration, 'report'>): Promise<Login> {
    await passwords.refuseBreached(password)
    // A taken address is hashed for too: otherwise a full queue, or the time, would tell it from a free one.
    const passwordHash = await passwords.hash(password, { address: client.ip, signal })
    // Of two requests at once, the unique index refuses one.
    if (await accounts.findId(email) !== undefined) throw new Problem('email_taken')
    const mint = await mintFor(audience)
    // Stored together or not at all: after a failure in between, the owner could not register again.
    const prepared = issuer.prepare(channel, client, mint)
    const stored = await accounts.createWithSession({ email, name, locale, passwordHash }, prepared.session, prepareMail(email, locale))
    if (stored === undefined) throw new Problem('email_taken')
    outbox.wake()
    return await issuer.issue(prepared, stored, client)
  }
}
