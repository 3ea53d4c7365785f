import { Problem } from '../errors.ts'
import type { ClientInfo } from '../http/client-info.ts'
import type { AttemptCount, AttemptLimiter, ReportLimits } from '../limits/attempt-limiter.ts'
import type { Locale } from '../messages/locales.ts'
import type { Outbox } from '../outbox/compose.ts'
import type { OutboxRow } from '../outbox/enqueue.ts'
import { MAIL_REQUEST_LIFE } from './mail-flow.ts'
import { prepareMailRequest } from './prepare-mail-request.ts'

/** Somebody who wants a mail. */
export interface Ask {
  flow: string
  /** Normalised. */
  email: string
  locale: Locale | undefined
  client: ClientInfo
  /** What else the flow has to know. It is stored encrypted. */
  data?: object
  /** The account that asks, where one does: it is limited whatever the addresses are. */
  accountId?: string
  /** A message to somebody else, which is queued with the request. */
  also?: OutboxRow
  /** Gets the headers of the limit. */
  report: ReportLimits
}

/** What the asker is answered, whether or not a mail is sent. */
export interface Asked {
  requestId: string
  /** Seconds. */
  expiresIn: number
}

export type AskForMail = (ask: Ask) => Promise<Asked>

export interface AskForMailDeps {
  limiter: AttemptLimiter
  outbox: Pick<Outbox, 'prepare' | 'enqueue' | 'wake'>
}

/**
 * Queues a request for a mail, by one statement that does not read the accounts: neither the answer nor its time tells whether
 * there is one. Beyond the limits nothing is queued, and the answer is the same.
 */
export function createAskForMail ({ limiter, outbox }: AskForMailDeps): AskForMail {
  return async function askForMail ({ flow, email, locale = null, data, also, ...asker }) {
    const { requestId, row } = prepareMailRequest(outbox, { flow, email, locale, data })
    const asked = { requestId, expiresIn: MAIL_REQUEST_LIFE }
    if (!await isAdmitted(email, asker)) return asked
    if (also !== undefined) await outbox.enqueue(also)
    await outbox.enqueue(row)
    outbox.wake()
    return asked
  }

  async function isAdmitted (email: string, { client: { network }, accountId, report }: Pick<Ask, 'client' | 'accountId' | 'report'>): Promise<boolean> {
    const counts: AttemptCount[] = [{ rule: 'mail', by: network === null || network === undefined ? undefined : [email, network] }]
    if (accountId !== undefined) counts.push({ rule: 'mail', by: [`u:${accountId}`] })
    const isBelow = await reserve(counts, report)
    // Not reported: how often others have asked for this address is nobody's business.
    return isBelow && await reserve([{ rule: 'address', by: [email] }])
  }

  async function reserve (counts: readonly AttemptCount[], report?: ReportLimits): Promise<boolean> {
    try {
      await limiter.reserve(counts, report)
      return true
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'too_many_requests') throw error
      const { 'retry-after': _, ...headers } = error.headers
      report?.(headers)
      return false
    }
  }
}
