import type { Mail } from '../mail/compose.ts'
import { newLinkToken } from '../mail-requests/prepare-mail-request.ts'
import type { Outbox } from '../outbox/compose.ts'
import type { OutboxRow } from '../outbox/enqueue.ts'

/** A link by which the owner of an account chooses its password, and the mail that brings it. */
export interface Invitation {
  token: string
  /** How long it is good, in seconds. */
  life: number
  mail: OutboxRow
}

/** @returns `undefined` where no mail is sent */
export type PrepareInvitation = (invited: { email: string, locale: string | null | undefined }) => Invitation | undefined

export interface PrepareInvitationDeps {
  mail: Pick<Mail, 'isAvailable' | 'message' | 'link'>
  outbox: Pick<Outbox, 'prepare'>
}

const DAYS = 7

export function createPrepareInvitation ({ mail, outbox }: PrepareInvitationDeps): PrepareInvitation {
  return ({ email, locale }) => {
    if (!mail.isAvailable) return undefined
    const token = newLinkToken()
    const life = DAYS * 86_400
    const message = mail.message('invitation', { link: mail.link('invitation', token), days: DAYS }, { to: email, locale, expiresIn: life })
    return { token, life, mail: outbox.prepare(message) }
  }
}
