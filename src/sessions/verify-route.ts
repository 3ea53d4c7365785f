import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { FastifyRequest } from 'fastify'
import type { Principal } from 'countersign-verifier'
import type { Guards } from '../http/authenticate.ts'
import { problems } from '../http/schemas.ts'

/** What the route takes. */
export interface VerifyRouteOptions {
  guards: Guards
  principal: (request: FastifyRequest) => Principal
}

/** The stateless check, for gateways and for clients: no database, no redis. */
export const verifyRoute: FastifyPluginAsyncTypebox<VerifyRouteOptions> = async (app, { guards, principal }) => {
  app.get('/auth/verify', {
    onRequest: guards.authenticate,
    schema: {
      operationId: 'verify',
      tags: ['Sessions'],
      summary: 'Who is asking',
      description: 'Checks the credential with no I/O. The headers of the answer are for gateways; `X-Auth-Email` is percent-encoded, and sent only when the address is verified.',
      security: [{ bearerAuth: [] }, { cookieAuth: [] }],
      response: {
        200: Type.Ref('Principal'),
        ...problems('unauthenticated', 'invalid_token')
      }
    }
  }, (request, reply) => {
    const who = principal(request)
    reply.header('cache-control', 'no-store').header('x-auth-user-id', who.id).header('x-auth-role', who.role)
    if (who.emailVerified && who.email !== null) reply.header('x-auth-email', encodeURIComponent(who.email))
    reply.send(who)
  })
}
