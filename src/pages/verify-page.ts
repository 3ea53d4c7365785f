import type { FastifyRequest } from 'fastify'
import { Problem } from '../errors.ts'
import type { Guards } from '../http/guards.ts'
import { html } from '../http/html.ts'
import type { FindKnownDevices } from '../sessions/known-device.ts'
import type { VerifyEmail } from '../verification/verify-email.ts'
import { emailField } from './email-field.ts'
import type { LinkPage } from './link-page.ts'
import { passwordField } from './password-field.ts'

export interface VerifyPageDeps {
  verifyEmail: VerifyEmail
  findKnownDevices: FindKnownDevices
  guards: Guards
}

/** Verifying an address: with the session of this browser, or with the password of the account. */
export function createVerifyPage ({ verifyEmail, findKnownDevices, guards }: VerifyPageDeps): LinkPage {
  return {
    path: '/account/verify',
    texts: 'verify',
    async look (token, request) {
      const { email, userId } = await verifyEmail.look(token)
      return { email, needsPassword: (await userIdOf(request)) !== userId }
    },
    fields: ({ email, needsPassword, texts, objection }) => html`${emailField(texts.email, email)}
${needsPassword === true && passwordField(texts, objection)}`,
    async act ({ token, field, client, signal, report, request }) {
      const password = field('password')
      await verifyEmail.verify({
        proof: { token },
        userId: await userIdOf(request),
        password: password === '' ? undefined : password,
        client,
        devices: await findKnownDevices(request),
        signal,
        report
      })
    }
  }

  // A session that is no good is none here: there is the password.
  async function userIdOf (request: FastifyRequest): Promise<string | undefined> {
    try {
      return (await guards.findUser(request))?.id
    } catch (error) {
      if (error instanceof Problem && error.statusCode < 500) return undefined
      throw error
    }
  }
}
