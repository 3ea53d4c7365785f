import type { CreateLink } from '../mail/links.ts'
import type { MailFlow } from '../mail-requests/mail-flow.ts'
import type { MailedSecretStore } from '../one-time-tokens/mailed-secret-store.ts'
import type { PendingRegistration, RegistrationStore } from './registration-store.ts'

export const REGISTRATION_FLOW = 'register'

/** What a registration was asked with, beside the address. */
export type RegistrationRequest = Omit<PendingRegistration, 'email' | 'locale'>

export interface RegistrationFlowDeps {
  store: Pick<RegistrationStore, 'findTaken'>
  secrets: Pick<MailedSecretStore, 'issuePending'>
  link: CreateLink
}

/** Mails a code and a link to finish a registration; where the address has an account already, a notice of that. */
export function createRegistrationFlow ({ store, secrets, link }: RegistrationFlowDeps): MailFlow {
  return {
    flow: REGISTRATION_FLOW,
    async handle ({ email, locale, requestId, token, code, data, expiresAt, minutes }) {
      const taken = await store.findTaken(email)
      if (taken !== undefined) return { to: email, locale: taken.locale ?? locale, message: 'existing_account', data: { link: link('forgot') } }
      const { name, passwordHash } = data as RegistrationRequest
      const pending: PendingRegistration = { email, name, passwordHash, locale }
      if (!await secrets.issuePending({ purpose: 'registration', token, byCode: { requestId, code }, data: pending, expiresAt })) return undefined
      return { to: email, locale, message: 'register_code', data: { link: link('register', token), code, minutes } }
    }
  }
}
