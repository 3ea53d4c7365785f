import { html, type Html } from '../http/html.ts'
import type { PageTexts } from './problem-text.ts'

/** @returns the field of an existing password, with why the last attempt was refused */
export function passwordField (texts: PageTexts, objection: string | undefined): Html {
  return html`<div class="field">
<label for="password">${texts.password}</label>
${objection === undefined
  ? html`<input id="password" name="password" type="password" autocomplete="current-password" autofocus>`
  : html`<input id="password" name="password" type="password" autocomplete="current-password" autofocus aria-invalid="true" aria-describedby="objection">
<p class="hint bad" id="objection">${objection}</p>`}
</div>`
}
