import type { Mailbox } from '../config/mail-settings.ts'
import type { Locale } from '../messages/locales.ts'
import type { MailData, MailMessage } from '../messages/mail-messages.ts'

/** What is to be sent to whom, before it has a text. */
export interface Letter<Message extends MailMessage = MailMessage> {
  /** Of the row in the outbox; copies of a message have the same. */
  id: string
  /** An e-mail address. */
  to: string
  locale: Locale
  message: Message
  data: MailData<Message>
}

/** A message as it is sent. */
export interface ComposedMail {
  id: string
  message: MailMessage
  from: Mailbox
  to: Mailbox
  subject: string
  text: string
  /** Absent where a template has none. */
  html?: string
}

/** What came of sending; as the outbox takes it. */
export type Sent =
  | { readonly outcome: 'delivered' }
  | { readonly outcome: 'retry' | 'paused', readonly reason: string }
  /** `isAddressRefused`: no message to this address will arrive. */
  | { readonly outcome: 'undeliverable', readonly reason: string, readonly isAddressRefused: boolean }

/** Hands messages to whoever delivers them. */
export interface Transport {
  /** @param signal gives the attempt up */
  send (mail: ComposedMail, signal?: AbortSignal): Promise<Sent>
  /** @returns for how many ms nothing is to be sent */
  pausedFor (): number
  close (): void
}
