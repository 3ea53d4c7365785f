import type { MailFlow } from '../mail-requests/mail-flow.ts'
import type { MailedSecretStore } from '../one-time-tokens/mailed-secret-store.ts'
import type { CodeLoginData, CodeLoginStore } from './code-login-store.ts'

export const CODE_FLOW = 'code'

export interface CodeFlowDeps {
  store: Pick<CodeLoginStore, 'find'>
  secrets: Pick<MailedSecretStore, 'issue'>
}

/** Mails a code to log in with, where there is an account with the address. */
export function createCodeFlow ({ store, secrets }: CodeFlowDeps): MailFlow {
  return {
    flow: CODE_FLOW,
    async handle ({ email, locale, requestId, token, code, expiresAt, minutes }) {
      const account = await store.find(email)
      if (account === undefined) return undefined
      const data: CodeLoginData = { email }
      // The token goes nowhere: there is no link that logs in.
      if (!await secrets.issue({ purpose: 'login_code', token, byCode: { requestId, code }, userId: account.id, data, expiresAt })) return undefined
      return { to: email, locale: account.locale ?? locale, message: 'login_code', data: { code, minutes } }
    }
  }
}
