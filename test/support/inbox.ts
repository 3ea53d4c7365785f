import type { KeptMail } from '../../src/mail/development-transport.ts'
import type { TestService } from './service.ts'
import { until } from './until.ts'

/** What a mail held for its reader. */
export interface ReadMail extends KeptMail {
  /** The token of its link; empty where it has none. */
  token: string
  /** Its six digits; empty where it has none. */
  code: string
}

/**
 * @returns the mails that a service has not sent anywhere, the newest first, to one address or to all, once nothing waits any
 * more; without those that every registration causes
 */
export async function mailsOf (service: TestService, to?: string): Promise<ReadMail[]> {
  return (await allMailsOf(service, to)).filter(({ message }) => message !== 'verify_email')
}

/** The same with the mails to verify an address. */
export async function allMailsOf (service: TestService, to?: string): Promise<ReadMail[]> {
  await until(async () => (await service.sql('SELECT 1 FROM outbox WHERE dead_at IS NULL')).length === 0)
  const { body: { items } } = await service.call<{ items: KeptMail[] }>('GET /dev/mail')
  return items.filter(mail => to === undefined || mail.to === to).map(mail => ({ ...mail, token: /[?&#]token=([\w-]+)/.exec(mail.text)?.[1] ?? '', code: /: ([0-9]{6})$/m.exec(mail.text)?.[1] ?? '' }))
}

/** A code of six digits where it stands alone: not amid the digits of a time or an id, which spell every code now and then. */
export function standingAlone (code: string): RegExp {
  return new RegExp(`(?<![\\w.-])${code}(?![\\w.-])`)
}
