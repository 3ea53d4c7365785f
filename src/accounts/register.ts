import { Problem } from '../errors.ts'
import type { ClientInfo } from '../http/client-info.ts'
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
  channel: Channel
  /** The audience of the access token; by default the service's own. */
  audience: string | undefined
  client: ClientInfo
  /** Aborts when the client disconnects. */
  signal: AbortSignal
}

export type Register = (registration: Registration) => Promise<Login>

export interface RegisterDeps {
  accounts: AccountStore
  passwords: Passwords
  issuer: SessionIssuer
  mintFor: Tokens['mintFor']
}

export function createRegister ({ accounts, passwords, issuer, mintFor }: RegisterDeps): Register {
  return async function register ({ email, password, name, channel, audience, client, signal }) {
    const mint = await mintFor(audience)
    passwords.assess(password, { email, ...name !== null && { name } })
    // Checked first so that a taken address costs no hash; of two requests at once, the unique index refuses one.
    if (await accounts.findId(email) !== undefined) throw new Problem('email_taken')
    const passwordHash = await passwords.hash(password, { address: client.ip, known: false, signal })
    // Stored together or not at all: after a failure in between, the owner could not register again.
    const prepared = issuer.prepare(channel, client, mint)
    const stored = await accounts.createWithSession({ email, name, passwordHash }, prepared.session)
    if (stored === undefined) throw new Problem('email_taken')
    return await issuer.issue(prepared, stored, client)
  }
}
