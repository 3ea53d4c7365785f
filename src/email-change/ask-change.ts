import { invalidField, Problem } from '../errors.ts'
import type { ClientInfo } from '../http/client-info.ts'
import type { ReportLimits } from '../limits/attempt-limiter.ts'
import type { Mail } from '../mail/compose.ts'
import type { AskForMail, Asked } from '../mail-requests/ask-for-mail.ts'
import type { Locale } from '../messages/locales.ts'
import type { Outbox } from '../outbox/compose.ts'
import type { PresentSession } from '../sessions/presence.ts'
import { CHANGE_FLOW, type ChangeRequestData } from './change-flow.ts'
import type { ChangeStore } from './change-store.ts'

/** A request for another address. */
export interface ChangeRequest {
  /** Normalised. */
  email: string
  locale: Locale | undefined
  client: ClientInfo
  /** Gets the headers of the limit. */
  report: ReportLimits
}

export type AskChange = ReturnType<typeof createAskChange>

export interface AskChangeDeps {
  store: Pick<ChangeStore, 'begin'>
  askForMail: AskForMail
  mail: Pick<Mail, 'message'>
  outbox: Pick<Outbox, 'prepare'>
}

// Longer than most outages: the owner is to know of it even if the change was not confirmed.
const NOTICE_LIFE = 3 * 86_400

export function createAskChange ({ store, askForMail, mail, outbox }: AskChangeDeps) {
  /**
   * Asks for another address. Whether another account has it shows neither in the answer nor in its time; a verified old address
   * is told in either case.
   *
   * @throws Problem 422 where the account has the address already
   */
  return async function askChange ({ userId, sessionId }: Pick<PresentSession, 'userId' | 'sessionId'>, { email, ...request }: ChangeRequest): Promise<Asked> {
    const account = await store.begin(userId, email)
    if (account === undefined) throw new Problem('invalid_token')
    const { isVerified, locale, ...asked } = account
    if (asked.from === email) throw invalidField('email', 'is the address of the account already')
    const data: ChangeRequestData = { ...asked, userId, sessionId }
    const notice = () => outbox.prepare(mail.message('email_change_asked', { email, at: asked.askedAt }, { to: asked.from, locale, expiresIn: NOTICE_LIFE }))
    return await askForMail({ flow: CHANGE_FLOW, email, data, accountId: userId, ...request, ...isVerified && { also: notice() } })
  }
}
