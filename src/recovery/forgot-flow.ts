import type { CreateLink } from '../mail/links.ts'
import type { MailFlow } from '../mail-requests/mail-flow.ts'
import type { MailedSecretStore } from '../one-time-tokens/mailed-secret-store.ts'
import type { RecoveryData, RecoveryStore } from './recovery-store.ts'

export const FORGOT_FLOW = 'forgot'

export interface ForgotFlowDeps {
  store: Pick<RecoveryStore, 'find'>
  secrets: Pick<MailedSecretStore, 'issue'>
  link: CreateLink
}

/** Mails a link, and a code where somebody asked, to choose a new password, where there is an account with the address. */
export function createForgotFlow ({ store, secrets, link }: ForgotFlowDeps): MailFlow {
  return {
    flow: FORGOT_FLOW,
    async handle ({ email, locale, requestId, token, code, isUnasked = false, expiresAt, minutes }) {
      const account = await store.find(email)
      if (account === undefined) return undefined
      const data: RecoveryData = { email }
      const isGood = await secrets.issue({ purpose: 'password_reset', token, ...!isUnasked && { byCode: { requestId, code } }, userId: account.id, data, expiresAt })
      if (!isGood) return undefined
      return { to: email, locale: account.locale ?? locale, message: 'password_reset', data: { link: link('reset', token), ...!isUnasked && { code }, minutes } }
    }
  }
}
