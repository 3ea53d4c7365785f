import type { Config } from '../config.ts'
import { isLocale, LOCALES } from '../messages/locales.ts'
import type { MailMessage } from '../messages/mail-messages.ts'
import type { Letter, Sent, Transport } from './letter.ts'
import { toMailbox } from './recipient.ts'
import type { createRender } from './render.ts'

export interface MailerDeps {
  config: Pick<Config, 'serviceName' | 'mailFrom' | 'publicUrl'>
  render: ReturnType<typeof createRender>
  transport: Transport
}

/** A letter whose language may be none of ours, or not known. */
export type SendableLetter<Message extends MailMessage> = Omit<Letter<Message>, 'locale'> & { locale?: string | null | undefined }

/** Sends one message now: what delivers from the outbox calls it. */
export type SendMail = <Message extends MailMessage>(letter: SendableLetter<Message>, signal?: AbortSignal) => Promise<Sent>

export function createMailer ({ config: { serviceName, mailFrom, publicUrl }, render, transport }: MailerDeps): SendMail {
  const from = mailFrom ?? { name: serviceName, address: `countersign@${new URL(publicUrl).hostname}` }

  return async function sendMail ({ id, to: email, locale, message, data }, signal) {
    const to = toMailbox(email)
    if (to === undefined) return { outcome: 'undeliverable', reason: 'not an address that mail can be sent to', isAddressRefused: true }
    return transport.send({ id, message, from, to, ...render(message, isLocale(locale) ? locale : LOCALES[0], data) }, signal)
  }
}
