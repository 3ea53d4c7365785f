import type { ReadSession } from '../email-change/asking-session.ts'
import type { ConfirmChange } from '../email-change/confirm-change.ts'
import { html } from '../http/html.ts'
import type { FindKnownDevices } from '../sessions/known-device.ts'
import { emailField } from './email-field.ts'
import type { LinkPage } from './link-page.ts'

export interface EmailChangePageDeps {
  confirmChange: ConfirmChange
  readSession: ReadSession
  findKnownDevices: FindKnownDevices
}

/** Confirming a new address: in the browser that asked for it by the button alone, elsewhere with the password. */
export function createEmailChangePage ({ confirmChange, readSession, findKnownDevices }: EmailChangePageDeps): LinkPage {
  return {
    path: '/account/email/confirm',
    texts: 'emailChange',
    look: (token, request) => confirmChange.look(token, readSession(request)),
    fields: ({ email, needsPassword, texts, objection }) => html`${emailField(texts.newEmail, email)}
${needsPassword === true && html`<div class="field">
<label for="password">${texts.password}</label>
${objection === undefined
  ? html`<input id="password" name="password" type="password" autocomplete="current-password" required autofocus aria-describedby="why">`
  : html`<input id="password" name="password" type="password" autocomplete="current-password" required autofocus aria-invalid="true" aria-describedby="objection why">
<p class="hint bad" id="objection">${objection}</p>`}
<p class="hint" id="why">${texts.passwordWhy}</p>
</div>`}`,
    act: ({ token, field, request, client, signal, report }) => confirmChange.confirm({
      proof: { token },
      password: field('password') === '' ? undefined : field('password'),
      missSession: readSession(request),
      findDevices: () => findKnownDevices(request),
      client,
      signal,
      report
    })
  }
}
