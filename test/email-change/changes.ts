import { randomBytes } from 'node:crypto'
import { mailsOf } from '../support/inbox.ts'
import { present } from '../support/presence.ts'
import type { Answer, Call, LoginBody, Person, TestService } from '../support/service.ts'

/** A change that waits for its confirmation. */
export interface PendingChange {
  email: string
  requestId: string
  token: string
  code: string
}

export const newAddress = () => `grace-${randomBytes(6).toString('hex')}@example.com`

/** Somebody whose address is verified. */
export async function verifiedPerson (service: TestService): Promise<Person> {
  const person = await service.person()
  await service.sql('UPDATE users SET email_verified = true WHERE id = $1::uuid', person.user.id)
  return person
}

/** Asks for another address. */
export const ask = ({ call }: TestService, person: Pick<LoginBody, 'accessToken' | 'refreshToken'>, email: string): Promise<Answer<{ requestId: string, expiresIn: number }>> =>
  call('POST /auth/email/change', present(person, { email }))

export const confirm = ({ call }: TestService, json: object, more: Call = {}) => call('POST /auth/email/change/confirm', { ...more, json })

/** Asks for another address, and reads the mail. */
export async function pendingChange (service: TestService, person: Pick<LoginBody, 'accessToken' | 'refreshToken'>, email = newAddress()): Promise<PendingChange> {
  const { status, body: { requestId } } = await ask(service, person, email)
  if (status !== 202) throw new Error(`Asking was answered ${status}`)
  const mail = (await mailsOf(service, email)).find(({ message }) => message === 'email_change')
  if (mail === undefined) throw new Error('No mail came')
  return { email, requestId, token: mail.token, code: mail.code }
}

/** Gives somebody another address. @returns the address, the person's tokens by then, and the link by which the old address comes back */
export async function changeAddress (service: TestService, person: Pick<LoginBody, 'accessToken' | 'refreshToken' | 'user'>, email = newAddress()): Promise<{ email: string, revertToken: string, person: LoginBody }> {
  const [before] = await service.sql<{ email: string }>('SELECT email FROM users WHERE id = $1::uuid', person.user.id)
  const { token } = await pendingChange(service, person, email)
  const { status, text } = await confirm(service, { token }, { token: person.accessToken })
  if (status !== 204) throw new Error(`Confirming was answered ${status} ${text}`)
  const changed = (await mailsOf(service, before?.email)).find(({ message }) => message === 'email_changed')
  const { body } = await service.call<LoginBody>('POST /auth/refresh', { json: { refreshToken: person.refreshToken } })
  return { email, revertToken: changed?.token ?? '', person: { ...person, ...body } }
}
