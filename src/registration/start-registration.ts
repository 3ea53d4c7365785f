import type { ClientInfo } from '../http/client-info.ts'
import { whileReserved, type AttemptLimiter, type ReportLimits } from '../limits/attempt-limiter.ts'
import { byNetwork } from '../limits/limit-by-network.ts'
import type { AskForMail, Asked } from '../mail-requests/ask-for-mail.ts'
import type { Locale } from '../messages/locales.ts'
import type { Passwords } from '../passwords/compose.ts'
import { REGISTRATION_FLOW, type RegistrationRequest } from './registration-flow.ts'

/** A request for an account that exists only once its address is proved. */
export interface RegistrationStart {
  /** Normalised. */
  email: string
  password: string
  name: string | null
  locale: Locale | undefined
  client: ClientInfo
  /** Aborts when the client disconnects. */
  signal: AbortSignal
  /** Gets the headers of the limit. */
  report: ReportLimits
}

export interface StartRegistrationDeps {
  limiter: AttemptLimiter
  passwords: Passwords
  askForMail: AskForMail
}

export type StartRegistration = (start: RegistrationStart) => Promise<Asked>

/**
 * Begins a registration: hashes the password, and has the address mailed a code. It looks at no account, so that neither the
 * answer nor its time tells whether the address has one.
 */
export function createStartRegistration ({ limiter, passwords, askForMail }: StartRegistrationDeps): StartRegistration {
  /** @throws Problem `weak_password`, `too_many_requests`, `too_busy` */
  return async function startRegistration ({ email, password, name, locale, client, signal, report }) {
    passwords.assess(password, { email, ...name !== null && { name } })
    const reservation = await limiter.reserve([byNetwork('register', client.network)], report)
    return await whileReserved(reservation, async () => {
      await passwords.refuseBreached(password)
      const data: RegistrationRequest = { name, passwordHash: await passwords.hash(password, { address: client.ip, signal }) }
      return await askForMail({ flow: REGISTRATION_FLOW, email, locale, client, data, report })
    })
  }
}
