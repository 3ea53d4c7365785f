import { html } from '../http/html.ts'
import type { ConfirmRegistration } from '../registration/confirm-registration.ts'
import type { SendLogin } from '../sessions/login-response.ts'
import type { LinkPage } from './link-page.ts'
import { passwordField } from './password-field.ts'

export interface RegisterPageDeps {
  confirmRegistration: ConfirmRegistration
  sendLogin: SendLogin
}

/** Finishing a registration. Whoever did not choose its password gets no account made of it. */
export function createRegisterPage ({ confirmRegistration, sendLogin }: RegisterPageDeps): LinkPage {
  return {
    path: '/account/register',
    texts: 'register',
    look: confirmRegistration.look,
    fields: ({ email, texts, objection }) => html`<div class="field">
<label for="email">${texts.email}</label>
<input id="email" name="username" type="email" autocomplete="username" value="${email}" readonly>
</div>
${passwordField(texts, objection)}`,
    async act ({ token, field, client, signal, report, reply }) {
      sendLogin(reply, await confirmRegistration.confirm({ proof: { token, password: field('password') }, channel: 'cookie', audience: undefined, client, signal, report }))
    }
  }
}
