import type { MailData, MailMessage } from '../messages/mail-messages.ts'
import type { Locale } from '../messages/locales.ts'

/** A mail that somebody asked for, or that something else causes, as the outbox keeps it: whether it is sent is decided when it is delivered. */
export interface MailRequest {
  /** What it is for: the name of a flow. */
  readonly flow: string
  /** Normalised. Nobody has proved it. */
  readonly email: string
  /** What the asker's browser prefers. */
  readonly locale: Locale | null
  /** What the asker was answered: the code is good with it only. */
  readonly requestId: string
  /** 256 random bits, for a link. */
  readonly token: string
  /** Six digits. */
  readonly code: string
  /** Nobody was answered, so nobody can use the code: it is neither mailed nor stored. */
  readonly isUnasked?: true
  /** What else the flow has to know. */
  readonly data?: unknown
}

/** A request that is being delivered. */
export interface DueMailRequest extends MailRequest {
  /** When link and code end, by the database's clock. */
  readonly expiresAt: Date
  /** How long they are good from the request on, in minutes. */
  readonly minutes: number
}

/** A mail to one person. */
export type OutgoingMail = { [Message in MailMessage]: { to: string, locale: string | null, message: Message, data: MailData<Message> } }[MailMessage]

/**
 * What a request leads to. The account is looked up here, after the asker was answered: the answer and its time tell nothing.
 * It may be called again for the same request, and then does the same.
 */
export interface MailFlow {
  readonly flow: string
  /** @returns nothing where no mail is to be sent */
  handle (request: DueMailRequest): Promise<OutgoingMail | undefined>
}

/** How long a link and a code are good from the request on, in seconds. */
export const MAIL_REQUEST_LIFE = 600
