import type { CreateLink } from '../mail/links.ts'
import type { MailFlow } from '../mail-requests/mail-flow.ts'
import type { MailedSecretStore } from '../one-time-tokens/mailed-secret-store.ts'
import type { VerificationData, VerificationStore } from './verification-store.ts'

export const VERIFY_FLOW = 'verify'

export interface VerifyFlowDeps {
  store: Pick<VerificationStore, 'find'>
  secrets: Pick<MailedSecretStore, 'issue'>
  link: CreateLink
}

/** Mails a link, and a code where somebody asked, to verify an address, where an account has it that was never verified. */
export function createVerifyFlow ({ store, secrets, link }: VerifyFlowDeps): MailFlow {
  return {
    flow: VERIFY_FLOW,
    async handle ({ email, locale, requestId, token, code, isUnasked = false, expiresAt, minutes }) {
      const account = await store.find(email)
      if (account === undefined) return undefined
      const data: VerificationData = { email }
      if (!await secrets.issue({ purpose: 'email_verification', token, ...!isUnasked && { byCode: { requestId, code } }, userId: account.id, data, expiresAt })) return undefined
      return { to: email, locale: account.locale ?? locale, message: 'verify_email', data: { link: link('verify', token), ...!isUnasked && { code }, minutes } }
    }
  }
}
