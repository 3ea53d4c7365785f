import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { FastifyRequest } from 'fastify'
import type { Principal } from 'countersign-verifier'
import { Problem } from '../errors.ts'
import { jsonResponse, AUTHENTICATED, BODY_PROBLEMS, problemResponses } from '../http/openapi/openapi-responses.ts'
import type { Guards } from '../http/guards.ts'
import { EXAMPLE, EXAMPLE_USER, Name, named, Nullable, UserSchema } from '../http/schemas.ts'
import { LOCALES } from '../messages/locales.ts'
import type { Account, AccountStore } from './store.ts'

export interface AccountRoutesOptions {
  accounts: AccountStore
  guards: Guards
  principal: (request: FastifyRequest) => Principal
}

const LocaleName = Type.Enum([...LOCALES], { type: 'string', description: 'The language of mails and pages', examples: ['de'] })

export const MeSchema = Type.Object({
  ...UserSchema.properties,
  locale: Nullable(LocaleName),
  emailUndeliverable: Type.Boolean({ description: 'Whether the mail server of the address refused it for good' })
}, { description: 'An account, as its owner sees it' })

const account = (description: string) => jsonResponse(named('Me'), { description, example: { ...EXAMPLE_USER, locale: 'en', emailUndeliverable: false } })

export const accountRoutes: FastifyPluginAsyncTypebox<AccountRoutesOptions> = async (app, { accounts, guards, principal }) => {
  app.get('/auth/me', {
    onRequest: guards.authenticate,
    schema: {
      operationId: 'getMe',
      tags: ['Accounts'],
      summary: 'My account',
      security: AUTHENTICATED,
      response: { 200: account('My account.'), ...problemResponses('unauthenticated', 'invalid_token', 'unavailable') }
    }
  }, async request => {
    return toMe(assertFound(await accounts.find(principal(request).id)))
  })

  app.patch('/auth/me', {
    onRequest: guards.authenticate,
    schema: {
      operationId: 'updateMe',
      tags: ['Accounts'],
      summary: 'Change my profile',
      security: AUTHENTICATED,
      description: 'What is absent stays as it is. Without a language, mails are in English.',
      body: Type.Object({ name: Type.Optional(Nullable(Name)), locale: Type.Optional(Nullable(LocaleName)) }, { additionalProperties: false, minProperties: 1, examples: [{ name: EXAMPLE.name, locale: 'de' }] }),
      response: {
        200: account('My account after the change.'),
        ...problemResponses(...BODY_PROBLEMS, 'unauthenticated', 'invalid_token', 'cross_site_request', 'unavailable')
      }
    }
  }, async request => {
    return toMe(assertFound(await accounts.update(principal(request).id, request.body)))
  })
}

function assertFound (account: Account | undefined): Account {
  if (account === undefined) throw new Problem('invalid_token')
  return account
}

function toMe ({ createdAt, ...account }: Account) {
  return { ...account, createdAt: createdAt.toISOString() }
}
