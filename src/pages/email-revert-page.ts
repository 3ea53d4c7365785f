import type { RevertChange } from '../email-change/revert-change.ts'
import { html } from '../http/html.ts'
import type { LinkPage } from './link-page.ts'

/** Taking an account back for its former address. */
export function createEmailRevertPage ({ revertChange }: { revertChange: RevertChange }): LinkPage {
  return {
    path: '/account/email/revert',
    texts: 'emailRevert',
    look: revertChange.look,
    fields: ({ email, texts }) => html`<div class="field">
<label for="email">${texts.email}</label>
<input id="email" type="email" value="${email}" readonly>
</div>`,
    act: ({ token, client, report }) => revertChange.revert({ token, client, report })
  }
}
