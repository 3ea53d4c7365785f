import type { AuditStore } from '../audit/store.ts'
import type { Database } from '../database/database.ts'
import type { AttemptLimiter } from '../limits/attempt-limiter.ts'
import type { Mail } from '../mail/compose.ts'
import { prepareMailRequest } from '../mail-requests/prepare-mail-request.ts'
import type { Locale } from '../messages/locales.ts'
import type { MailedSecretStore } from '../one-time-tokens/mailed-secret-store.ts'
import type { Outbox } from '../outbox/compose.ts'
import { NO_MESSAGE, type OutboxRow } from '../outbox/enqueue.ts'
import type { ProvePassword } from '../sessions/prove-password.ts'
import { createVerificationStore } from './verification-store.ts'
import { createVerifyEmail } from './verify-email.ts'
import { createVerifyFlow, VERIFY_FLOW } from './verify-flow.ts'

export interface VerificationDeps {
  database: Database
  limiter: AttemptLimiter
  secrets: MailedSecretStore
  mail: Pick<Mail, 'link' | 'isAvailable'>
  outbox: Pick<Outbox, 'prepare'>
  provePassword: ProvePassword
  audit: AuditStore
}

/** How the owners of accounts verify their addresses. */
export function composeVerification ({ database, limiter, secrets, mail, outbox, provePassword, audit }: VerificationDeps) {
  const store = createVerificationStore(database)
  return {
    flows: [createVerifyFlow({ store, secrets, link: mail.link })],
    verifyEmail: createVerifyEmail({ limiter, store, secrets, provePassword, audit }),

    /** @returns the request for the mail with a link to a new account, for the statement that makes it; none where no mail is sent */
    prepareMail: (email: string, locale: Locale | null): OutboxRow =>
      mail.isAvailable ? prepareMailRequest(outbox, { flow: VERIFY_FLOW, email, locale, isUnasked: true }).row : NO_MESSAGE
  }
}
