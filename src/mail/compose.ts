import type { Config } from '../config.ts'
import type { Database, Log } from '../database/database.ts'
import type { MailData, MailMessage, Notice } from '../messages/mail-messages.ts'
import { createMailChannel, MAIL_KIND, type MailPayload } from './channel.ts'
import { createDevelopmentTransport, type Inbox } from './development-transport.ts'
import type { Transport } from './letter.ts'
import { createLinks } from './links.ts'
import { createMailer } from './mailer.ts'
import { noteAddresses } from './note-address.ts'
import { createRecipientStore } from './recipient-store.ts'
import { createRender } from './render.ts'
import { createSmtpTransport } from './smtp-transport.ts'
import { loadTemplates } from './templates.ts'

export type MailConfig = Pick<Config, 'nodeEnv' | 'publicUrl' | 'serviceName' | 'smtpUrl' | 'mailFrom' | 'mailLinksUrl' | 'mailTemplatesDir' | 'mailNotices'>

export interface MailDeps {
  config: MailConfig
  /** `PUBLIC_URL` with the prefix of the routes. */
  baseUrl: string
  database: Pick<Database, 'query'>
  log: Log
}

/** To whom a message goes: to an address, or to the owner of an account, by the address that it has when it is sent. */
export type Addressee = { to: string, locale?: string | null | undefined, userId?: string } | { userId: string }

/** The same, where the statement that queues a message says whose account it is about. */
type MaybeAddressee = Addressee | { userId?: never }

export type Mail = ReturnType<typeof composeMail>

// Longer than most outages, shorter than what still matters to be told.
const NOTICE_LIFE = 3 * 86_400

/** @throws Error where a template is wrong */
export function composeMail ({ config, baseUrl, database, log }: MailDeps) {
  const findTemplate = config.mailTemplatesDir === undefined ? () => undefined : loadTemplates(config.mailTemplatesDir)
  const { transport, inbox } = createTransport(config, log)
  const recipients = createRecipientStore(database)
  const send = transport && noteAddresses(createMailer({ config, render: createRender({ service: config.serviceName, findTemplate }), transport }), recipients, log)

  /** @returns what `outbox.prepare` takes; `expiresIn` is in seconds */
  function message<Message extends MailMessage> (name: Message, data: MailData<Message>, { expiresIn, ...addressee }: MaybeAddressee & { expiresIn: number }) {
    const { to, locale, userId } = addressee as { to?: string, locale?: string | null, userId?: string }
    const payload: MailPayload<Message> = { message: name, data, ...to !== undefined && { to }, ...locale !== undefined && { locale } }
    return { kind: MAIL_KIND, payload, expiresIn, ...userId !== undefined && { userId } }
  }

  return {
    /** Whether mail is sent at all. Where it is not, the routes that need it do not exist, and nothing is queued. */
    isAvailable: transport !== undefined,
    /** Sends a message now. For what delivers from the outbox. */
    send,
    pausedFor: transport?.pausedFor ?? (() => 0),
    link: createLinks({ baseUrl, template: config.mailLinksUrl }),
    message,

    /** @returns a notice for `outbox.prepare`; `undefined` where it is turned off, or no mail is sent */
    notice<Name extends Notice> (name: Name, data: MailData<Name>, addressee: MaybeAddressee) {
      return transport === undefined || !config.mailNotices.includes(name) ? undefined : message(name, data, { ...addressee, expiresIn: NOTICE_LIFE })
    },

    channels: send === undefined || transport === undefined ? [] : [createMailChannel({ send, transport, recipients, notices: config.mailNotices })],
    inbox,
    close: (): void => transport?.close()
  }
}

function createTransport ({ nodeEnv, smtpUrl: server }: MailConfig, log: Log): { transport?: Transport, inbox?: Inbox } {
  if (server !== undefined) return { transport: createSmtpTransport({ server, log }) }
  if (nodeEnv === 'production') {
    log.warn({}, 'SMTP_URL is not set: no mail is sent, and the routes that need it do not exist')
    return {}
  }
  // Not to the logger: its lines are kept elsewhere, and links in mails are secrets.
  const transport = createDevelopmentTransport(nodeEnv === 'development' ? text => { process.stdout.write(text) } : () => {})
  return { transport, inbox: transport.inbox }
}
