import { html, type Html } from '../http/html.ts'

/** @returns the field of the address that a link was mailed to: a password manager stores the password with it */
export function emailField (label: string, email: string | undefined): Html {
  return html`<div class="field">
<label for="email">${label}</label>
<input id="email" name="username" type="email" autocomplete="username" value="${email}" readonly>
</div>`
}
