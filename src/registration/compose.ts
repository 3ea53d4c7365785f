import type { AuditStore } from '../audit/store.ts'
import type { Database } from '../database/database.ts'
import type { AttemptLimiter } from '../limits/attempt-limiter.ts'
import type { Mail } from '../mail/compose.ts'
import type { AskForMail } from '../mail-requests/ask-for-mail.ts'
import type { MailedSecretStore } from '../one-time-tokens/mailed-secret-store.ts'
import type { Passwords } from '../passwords/compose.ts'
import type { SessionIssuer } from '../sessions/open-session.ts'
import type { Tokens } from '../tokens/compose.ts'
import { createConfirmRegistration } from './confirm-registration.ts'
import { createRegistrationFlow } from './registration-flow.ts'
import { createRegistrationStore } from './registration-store.ts'
import { createStartRegistration } from './start-registration.ts'

export interface RegistrationDeps {
  database: Database
  limiter: AttemptLimiter
  secrets: MailedSecretStore
  passwords: Passwords
  mail: Pick<Mail, 'link'>
  askForMail: AskForMail
  issuer: SessionIssuer
  mintFor: Tokens['mintFor']
  audit: AuditStore
}

/** How accounts come to be whose address is proved first. */
export function composeRegistration ({ database, limiter, secrets, passwords, mail: { link }, askForMail, issuer, mintFor, audit }: RegistrationDeps) {
  const store = createRegistrationStore(database)
  return {
    flows: [createRegistrationFlow({ store, secrets, link })],
    startRegistration: createStartRegistration({ limiter, passwords, askForMail }),
    confirmRegistration: createConfirmRegistration({ limiter, store, secrets, passwords, issuer, mintFor, audit })
  }
}
