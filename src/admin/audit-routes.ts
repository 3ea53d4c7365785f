import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { AUDIT_ACTIONS } from '../audit/store.ts'
import { jsonResponse, AUTHENTICATED, problemResponses } from '../http/openapi/openapi-responses.ts'
import type { Guards } from '../http/guards.ts'
import { EXAMPLE, Id, named, Nullable } from '../http/schemas.ts'
import type { AuditListStore, ListedEvent } from '../audit/list-store.ts'
import { nextCursor, PAGE_QUERY, pageRequest } from '../http/cursor-pagination.ts'

export interface AuditRoutesOptions {
  auditList: AuditListStore
  guards: Guards
}

export const AuditEventSchema = Type.Object({
  id: Id,
  at: Type.String({ format: 'date-time', description: 'When it happened, or happened first. ISO 8601, UTC', examples: [EXAMPLE.time] }),
  action: Type.String({ examples: ['login'] }),
  outcome: Type.String({ examples: ['success'] }),
  actorId: Nullable(Type.String({ description: 'The account that did it; null where it is not known.' })),
  subjectId: Nullable(Type.String({ description: 'The account that it was done to.' })),
  sessionId: Nullable(Type.String()),
  ip: Nullable(Type.String()),
  userAgent: Nullable(Type.String()),
  detail: Nullable(Type.Record(Type.String(), Type.Unknown())),
  times: Type.Integer({ description: 'How often it happened, from one network within ten minutes: repeated failures share an event. Then `ip`, `userAgent` and `sessionId` are those of the first.' }),
  lastAt: Nullable(Type.String({ format: 'date-time', description: 'When it happened last, where it may have been repeated' }))
}, { description: 'An event of the audit trail' })

const AuditPage = Type.Object({
  items: Type.Array(named('AuditEvent')),
  nextCursor: Nullable(Type.String({ description: 'The cursor of the next page, or null on the last page.' }))
})

const EXAMPLE_EVENT = {
  id: '01890a5d-ac98-7a11-8c55-4b8f2e6d9b01',
  at: EXAMPLE.time,
  action: 'login',
  outcome: 'success',
  actorId: EXAMPLE.id,
  subjectId: EXAMPLE.id,
  sessionId: '01890a5d-ac97-7d3c-9a41-5f6f2b1f0c5e',
  ip: '203.0.113.7',
  userAgent: 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0',
  detail: null,
  times: 1,
  lastAt: null
}

export const auditRoutes: FastifyPluginAsyncTypebox<AuditRoutesOptions> = async (app, { auditList, guards }) => {
  app.get('/admin/audit', {
    onRequest: guards.permit('audit:read'),
    schema: {
      operationId: 'listAuditEvents',
      tags: ['Admin'],
      summary: 'The audit trail, newest first',
      security: AUTHENTICATED,
      querystring: Type.Object({
        ...PAGE_QUERY,
        subject: Type.Optional(Type.String({ format: 'uuid', description: 'Lists only events of this account.', examples: [EXAMPLE.id] })),
        action: Type.Optional(Type.Enum([...AUDIT_ACTIONS], { type: 'string', description: 'Lists only events with this action.', examples: ['login'] }))
      }, { additionalProperties: false }),
      response: {
        200: jsonResponse(AuditPage, { description: 'A page of events.', example: { items: [EXAMPLE_EVENT], nextCursor: null } }),
        ...problemResponses('unauthenticated', 'invalid_token', 'forbidden', 'validation_failed', 'unavailable')
      }
    }
  }, async request => {
    const { subject, action, ...page } = request.query
    const { items, next } = await auditList.list({
      ...pageRequest(page),
      ...subject !== undefined && { subject },
      ...action !== undefined && { action }
    })
    return { items: items.map(present), nextCursor: nextCursor(next) }
  })
}

function present ({ at, lastAt, ...event }: ListedEvent) {
  return { ...event, at: at.toISOString(), lastAt: lastAt?.toISOString() ?? null }
}
