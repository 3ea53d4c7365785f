import { isEmailAddress, normaliseEmail } from '../http/email-address.ts'
import { html } from '../http/html.ts'
import type { AskForMail } from '../mail-requests/ask-for-mail.ts'
import { FORGOT_FLOW } from '../recovery/forgot-flow.ts'
import type { LinkPage } from './link-page.ts'

/** Asking for a new password: mails about an account lead here, without a token. */
export function createForgotPage ({ askForMail }: { askForMail: AskForMail }): LinkPage {
  return {
    path: '/account/forgot',
    texts: 'forgot',
    needsToken: false,
    look: async () => ({}),
    fields: ({ texts }) => html`<div class="field">
<label for="email">${texts.email}</label>
<input id="email" name="email" type="email" autocomplete="username" required autofocus>
</div>`,
    async act ({ field, client, locale, report }) {
      const email = field('email')
      // What is no address has no account, and gets the same answer.
      if (isEmailAddress(email)) await askForMail({ flow: FORGOT_FLOW, email: normaliseEmail(email), locale, client, report })
    }
  }
}
