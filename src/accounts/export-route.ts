import { Readable } from 'node:stream'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { FastifyRequest } from 'fastify'
import type { Principal } from 'countersign-verifier'
import type { Guards } from '../http/guards.ts'
import { AUTHENTICATED, jsonResponse, problemResponses } from '../http/openapi/openapi-responses.ts'
import { EXAMPLE, EXAMPLE_IDENTITY, EXAMPLE_USER, Id, named, Nullable, Time, UserSchema } from '../http/schemas.ts'
import type { ExportAccount } from './export-account.ts'

export interface ExportRouteOptions {
  exportAccount: ExportAccount
  guards: Guards
  principal: (request: FastifyRequest) => Principal
}

const Export = Type.Object({
  exportedAt: Time,
  account: Type.Object({
    ...UserSchema.properties,
    locale: Nullable(Type.String()),
    hasPassword: Type.Boolean(),
    emailUndeliverable: Type.Boolean(),
    emailUndeliverableAt: Nullable(Type.String({ format: 'date-time' })),
    deletionDueAt: Nullable(Type.String({ format: 'date-time' })),
    updatedAt: Time
  }),
  identities: Type.Array(named('Identity')),
  sessions: Type.Array(Type.Object({
    id: Id,
    channel: Type.String(),
    ip: Nullable(Type.String()),
    userAgent: Nullable(Type.String()),
    createdAt: Time,
    authenticatedAt: Nullable(Type.String({ format: 'date-time' })),
    lastSeenAt: Time,
    expiresAt: Time,
    endedAt: Nullable(Type.String({ format: 'date-time' })),
    endedReason: Nullable(Type.String())
  }), { description: 'The sessions that are still stored' }),
  events: Type.Array(Type.Object({
    id: Id,
    at: Time,
    lastAt: Nullable(Type.String({ format: 'date-time' })),
    times: Type.Integer(),
    action: Type.String(),
    outcome: Type.String(),
    bySomebodyElse: Type.Boolean({ description: 'Whether an admin or another account did it. Then it is not told from where.' }),
    sessionId: Nullable(Type.String()),
    ip: Nullable(Type.String()),
    userAgent: Nullable(Type.String()),
    detail: Nullable(Type.Record(Type.String(), Type.Unknown()))
  }), { description: 'The events of the audit trail about the account' })
}, { description: 'What is stored about an account' })

const EXAMPLE_EXPORT = {
  exportedAt: EXAMPLE.time,
  account: { ...EXAMPLE_USER, locale: 'en', hasPassword: true, emailUndeliverable: false, emailUndeliverableAt: null, deletionDueAt: null, updatedAt: EXAMPLE.time },
  identities: [EXAMPLE_IDENTITY],
  sessions: [],
  events: [{ id: EXAMPLE.id, at: EXAMPLE.time, lastAt: null, times: 1, action: 'register', outcome: 'success', bySomebodyElse: false, sessionId: null, ip: '203.0.113.7', userAgent: null, detail: null }]
}

export const exportRoute: FastifyPluginAsyncTypebox<ExportRouteOptions> = async (app, { exportAccount, guards, principal }) => {
  app.get('/auth/me/export', {
    exposeHeadRoute: false,
    onRequest: guards.authenticate,
    schema: {
      operationId: 'exportMe',
      tags: ['Accounts'],
      summary: 'All that is stored about my account',
      description: 'As a file to download. Secrets and their hashes are not in it.',
      security: AUTHENTICATED,
      response: {
        200: jsonResponse(Export, {
          description: 'The data of my account.',
          example: EXAMPLE_EXPORT,
          headers: { 'Content-Disposition': Type.String({ examples: ['attachment; filename="account.json"'] }) }
        }),
        ...problemResponses('unauthenticated', 'invalid_token', 'unavailable')
      }
    }
  }, async (request, reply) => {
    const text = await exportAccount(principal(request).id)
    return await reply.type('application/json').header('content-disposition', 'attachment; filename="account.json"').send(Readable.from(text))
  })
}
