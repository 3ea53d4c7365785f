import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { FastifyRequest } from 'fastify'
import type { Principal } from 'countersign-verifier'
import { Problem } from '../errors.ts'
import { jsonResponse, AUTHENTICATED, emptyResponse, problemResponses } from '../http/openapi/openapi-responses.ts'
import type { Guards } from '../http/guards.ts'
import { clientInfo } from '../http/client-info.ts'
import { deviceName } from '../http/device-name.ts'
import { EXAMPLE, Id, named, Nullable, Time } from '../http/schemas.ts'
import type { LedgerSync } from '../revocation/ledger-sync.ts'
import type { SessionListStore, ListedSession } from './session-list-store.ts'
import type { EndSessionStore } from './end-session-store.ts'

export interface SessionListRoutesOptions {
  sessionList: SessionListStore
  endSessions: Pick<EndSessionStore, 'endOwn' | 'endOthers'>
  ledgerSync: Pick<LedgerSync, 'apply'>
  guards: Guards
  principal: (request: FastifyRequest) => Principal
}

export const SessionSchema = Type.Object({
  id: Id,
  current: Type.Boolean({ description: 'Whether the request was made with this session.' }),
  deliver: Type.Enum(['body', 'cookie', 'session'], { type: 'string', description: 'How the credentials of the session are delivered.' }),
  device: Nullable(Type.String({ description: 'The browser and operating system, or the start of the user agent where they are unknown.', examples: ['Firefox on Windows'] })),
  userAgent: Nullable(Type.String()),
  ip: Nullable(Type.String()),
  createdAt: Time,
  lastSeenAt: Time,
  expiresAt: Time
}, { description: 'A live session' })

// Of a user agent that is not known.
const DEVICE_LENGTH = 80

const EXAMPLE_SESSION = {
  id: EXAMPLE.id,
  current: true,
  deliver: 'cookie',
  device: 'Firefox on Windows',
  userAgent: 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0',
  ip: '203.0.113.7',
  createdAt: EXAMPLE.time,
  lastSeenAt: EXAMPLE.time,
  expiresAt: '2026-03-02T12:00:00.000Z'
}

export const sessionListRoutes: FastifyPluginAsyncTypebox<SessionListRoutesOptions> = async (app, { sessionList, endSessions, ledgerSync, guards, principal }) => {
  app.addHook('onRequest', guards.authenticate)

  app.get('/auth/sessions', {
    schema: {
      operationId: 'listSessions',
      tags: ['Sessions'],
      summary: 'My live sessions, the last used first',
      security: AUTHENTICATED,
      response: {
        200: jsonResponse(Type.Object({ items: Type.Array(named('Session')) }), { description: 'My live sessions.', example: { items: [EXAMPLE_SESSION] } }),
        ...problemResponses('unauthenticated', 'invalid_token', 'unavailable')
      }
    }
  }, async request => {
    const { id, sessionId } = principal(request)
    const sessions = await sessionList.list(id)
    return { items: sessions.map(session => present(session, sessionId)) }
  })

  app.delete('/auth/sessions', {
    schema: {
      operationId: 'endOtherSessions',
      tags: ['Sessions'],
      summary: 'End all my sessions but this one',
      security: AUTHENTICATED,
      response: { 204: emptyResponse('The sessions were ended.'), ...problemResponses('unauthenticated', 'invalid_token', 'cross_site_request', 'unavailable') }
    }
  }, async (request, reply) => {
    const { id: userId, sessionId: id } = principal(request)
    ledgerSync.apply(await endSessions.endOthers({ id, userId }, clientInfo(request)))
    return reply.code(204).send(null)
  })

  app.delete('/auth/sessions/:id', {
    schema: {
      operationId: 'endSession',
      tags: ['Sessions'],
      summary: 'End one of my sessions',
      security: AUTHENTICATED,
      params: Type.Object({ id: Id }),
      response: { 204: emptyResponse('The session was ended.'), ...problemResponses('unauthenticated', 'invalid_token', 'cross_site_request', 'not_found', 'validation_failed', 'unavailable') }
    }
  }, async (request, reply) => {
    const ended = await endSessions.endOwn({ id: request.params.id, userId: principal(request).id }, clientInfo(request))
    // The session of another account gets the same response as one that does not exist.
    if (ended === undefined) throw new Problem('not_found')
    ledgerSync.apply(ended)
    return reply.code(204).send(null)
  })
}

function present ({ id, channel, ip, userAgent, createdAt, lastSeenAt, idleEndsAt }: ListedSession, current: string) {
  return {
    id,
    current: id === current,
    deliver: channel,
    device: deviceName(userAgent) ?? userAgent?.slice(0, DEVICE_LENGTH) ?? null,
    userAgent,
    ip,
    createdAt: createdAt.toISOString(),
    lastSeenAt: lastSeenAt.toISOString(),
    expiresAt: idleEndsAt.toISOString()
  }
}
