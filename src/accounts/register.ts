import { Problem } from '../errors.ts'
import type { ClientDetails } from '../http/client-details.ts'
import type { Passwords } from '../passwords/passwords.ts'
import type { Login, OpenSession } from '../sessions/open-session.ts'
import type { Channel } from '../sessions/store.ts'
import type { Tokens } from '../tokens/tokens.ts'
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
  client: ClientDetails
  /** Aborts when the client has gone. */
  signal: AbortSignal
}

export type Register = (registration: Registration) => Promise<Login>

/** What registering takes. */
export interface RegisterParts {
  accounts: AccountStore
  passwords: Passwords
  openSession: OpenSession
  mintFor: Tokens['mintFor']
}

export function createRegister ({ accounts, passwords, openSession, mintFor }: RegisterParts): Register {
  return async function register ({ email, password, name, channel, audience, client, signal }) {
    const mint = await mintFor(audience)
    passwords.assess(password, { email, ...name !== null && { name } })
    // Asked first so that a taken address costs no hash; the unique index decides between two at once.
    if (await accounts.exists(email)) throw new Problem('email_taken')
    const passwordHash = await passwords.hash(password, { address: client.ip, known: false, signal })
    const id = await accounts.create({ email, name, passwordHash }, client)
    const login = await openSession({ id, passwordHash }, channel, client, mint)
    if (login === undefined) throw new Problem('invalid_credentials')
    return login
  }
}
