import type { CreateLink } from '../mail/links.ts'
import type { MailFlow } from '../mail-requests/mail-flow.ts'
import type { MailedSecretStore } from '../one-time-tokens/mailed-secret-store.ts'
import type { ChangeData, ChangeStore } from './change-store.ts'

export const CHANGE_FLOW = 'email_change'

/** What a request for another address knows beside the address. */
export interface ChangeRequestData extends Omit<ChangeData, 'email'> {
  userId: string
}

export interface ChangeFlowDeps {
  store: Pick<ChangeStore, 'findDestination'>
  secrets: Pick<MailedSecretStore, 'issue'>
  link: CreateLink
}

/** Mails a link and a code to the new address of an account, unless another account has it, which is told so. */
export function createChangeFlow ({ store, secrets, link }: ChangeFlowDeps): MailFlow {
  return {
    flow: CHANGE_FLOW,
    async handle ({ email, locale, requestId, token, code, expiresAt, minutes, data: given }) {
      const { userId, ...asked } = given as ChangeRequestData
      const destination = await store.findDestination({ userId, from: asked.from, email })
      if (destination === undefined) return undefined
      if (destination.isTaken) return { to: email, locale: destination.takenLocale ?? locale, message: 'existing_account', data: { link: link('forgot') } }
      // Its mailbox is that of another account, which has changed its address, and may come back.
      if (destination.isHeld) return undefined
      const data: ChangeData = { ...asked, email }
      const isGood = await secrets.issue({ purpose: 'email_change', token, byCode: { requestId, code }, userId, data, expiresAt })
      if (!isGood) return undefined
      return { to: email, locale: destination.locale ?? locale, message: 'email_change', data: { link: link('email-change', token), code, minutes } }
    }
  }
}
