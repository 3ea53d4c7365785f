import { html } from '../http/html.ts'
import type { ResetPassword } from '../recovery/reset-password.ts'
import { emailField } from './email-field.ts'
import type { LinkPage } from './link-page.ts'

export interface ResetPageDeps {
  resetPassword: ResetPassword
  /** In characters. */
  passwordMinLength: number
}

/** Choosing a new password. Password managers store it with the address beside it. */
export function createResetPage ({ resetPassword, passwordMinLength: length }: ResetPageDeps): LinkPage {
  return {
    path: '/account/reset',
    texts: 'reset',
    look: resetPassword.look,
    fields: ({ email, texts, objection }) => html`${emailField(texts.email, email)}
<div class="field">
<label for="password">${texts.newPassword}</label>
${objection === undefined
  ? html`<input id="password" name="newPassword" type="password" autocomplete="new-password" required autofocus aria-describedby="rule">`
  : html`<input id="password" name="newPassword" type="password" autocomplete="new-password" required autofocus aria-invalid="true" aria-describedby="objection rule">
<p class="hint bad" id="objection">${objection}</p>`}
<p class="hint" id="rule">${texts.passwordRule({ length })}</p>
</div>`,
    act: ({ token, field, client, signal, report }) => resetPassword.reset({ proof: { token }, newPassword: field('newPassword'), client, signal, report })
  }
}
