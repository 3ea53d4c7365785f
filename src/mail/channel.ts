import { MAIL_MESSAGES, NOTICES, type MailData, type MailMessage, type Notice } from '../messages/mail-messages.ts'
import type { SendMail } from './mailer.ts'
import type { Sent, Transport } from './letter.ts'
import type { createRecipientStore } from './recipient-store.ts'

/** The kind of ready mails in the outbox. */
export const MAIL_KIND = 'mail'

/** The kind of requests for a mail, which are decided when they are delivered. */
export const MAIL_REQUEST_KIND = 'mail_request'

/** The kinds of the outbox that are mail, for the command line. */
export const MAIL_KINDS: readonly string[] = [MAIL_KIND, MAIL_REQUEST_KIND]

/** A mail as the outbox keeps it. Without `to` it goes to the account that its row is about, wherever that has its mail by then. */
export interface MailPayload<Message extends MailMessage = MailMessage> {
  message: Message
  data: MailData<Message>
  to?: string
  locale?: string | null
}

export interface MailChannelDeps {
  send: SendMail
  transport: Pick<Transport, 'pausedFor'>
  recipients: ReturnType<typeof createRecipientStore>
  /** The notices that are sent. */
  notices: readonly Notice[]
}

/** Delivers the mails in the outbox. */
export function createMailChannel ({ send, transport: { pausedFor }, recipients, notices }: MailChannelDeps) {
  async function deliver ({ id, userId, payload }: { id: string, userId: string | null, payload: unknown }, signal: AbortSignal): Promise<Sent> {
    const { message, data, to, locale } = payload as MailPayload
    if (!Object.hasOwn(MAIL_MESSAGES, message)) return { outcome: 'retry', reason: 'a message of another version of the service' }
    // Turned off meanwhile.
    if (isNotice(message) && !notices.includes(message)) return { outcome: 'delivered' }
    const owner = to === undefined && userId !== null ? await recipients.find(userId) : undefined
    const address = to ?? owner?.email
    // The account is gone.
    if (address === undefined) return { outcome: 'delivered' }
    return send({ id, to: address, locale: locale ?? owner?.locale, message, data }, signal)
  }

  return { kinds: [MAIL_KIND], deliver, pausedFor }
}

export function isNotice (message: MailMessage): message is Notice {
  return NOTICES.some(notice => notice === message)
}
