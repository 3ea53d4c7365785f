import { Problem } from '../errors.ts'
import type { ClientInfo } from '../http/client-info.ts'
import type { Passwords } from '../passwords/compose.ts'
import type { Login, SessionOpening } from '../sessions/open-session.ts'
import type { Channel } from '../sessions/open-session-store.ts'
import type { Tokens } from '../tokens/compose.ts'
import type { AccountStore } from './store.ts'

/** Somebody who wants an account. */
export interface Registration {
  /** Normalised. */
  email: string
  password: string
  name: string | null
  channel: Channel
  /** Whom the access token is for; the service itself where nobody is named. */
  audience: string | undefined
  client: ClientInfo
  /** Aborts when the client has gone. */
  signal: AbortSignal
}

export type Register = (registration: Registration) => Promise<Login>

export interface RegisterDeps {
  accounts: AccountStore
  passwords: Passwords
  opening: SessionOpening
  mintFor: Tokens['mintFor']
}

export function createRegister ({ accounts, passwords, opening, mintFor }: RegisterDeps): Register {
  return async function register ({ email, password, name, channel, audience, client, signal }) {
    const mint = await mintFor(audience)
    passwords.assess(password, { email, ...name !== null && { name } })
    // Asked first so that a taken address costs no hash; the unique index decides between two at once.
    if (await accounts.idOf(email) !== undefined) throw new Problem('email_taken')
    const passwordHash = await passwords.hash(password, { address: client.ip, known: false, signal })
    // Stored together or not at all: an account that its owner was told nothing of could not be registered again.
    const prepared = opening.prepare(channel, client, mint)
    const opened = await accounts.createWithSession({ email, name, passwordHash }, prepared.session)
    if (opened === undefined) throw new Problem('email_taken')
    return await opening.complete(prepared, opened, client)
  }
}
