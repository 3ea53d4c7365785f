import { randomBytes, randomInt } from 'node:crypto'
import { MAIL_REQUEST_KIND } from '../mail/channel.ts'
import type { Outbox } from '../outbox/compose.ts'
import type { OutboxRow } from '../outbox/enqueue.ts'
import { MAIL_REQUEST_LIFE, type MailRequest } from './mail-flow.ts'

/** A request without its secrets. */
export interface NewMailRequest extends Pick<MailRequest, 'flow' | 'email' | 'locale' | 'isUnasked'> {
  data?: object | undefined
}

/** Draws the secrets of a request for a mail. @returns its row in the outbox, and the id that its code belongs to */
export function prepareMailRequest (outbox: Pick<Outbox, 'prepare'>, { data, ...request }: NewMailRequest): { requestId: string, row: OutboxRow } {
  const requestId = randomBytes(16).toString('base64url')
  const payload: MailRequest = { ...request, requestId, token: newLinkToken(), code: sixDigits(), ...data !== undefined && { data } }
  return { requestId, row: outbox.prepare({ kind: MAIL_REQUEST_KIND, payload, expiresIn: MAIL_REQUEST_LIFE }) }
}

/** @returns 256 random bits, for a link */
export function newLinkToken (): string {
  return randomBytes(32).toString('base64url')
}

function sixDigits (): string {
  return String(randomInt(1_000_000)).padStart(6, '0')
}
