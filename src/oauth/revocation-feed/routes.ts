import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { problemResponses } from '../../http/openapi/openapi-responses.ts'
import type { ClientAuthentication } from '../client-authentication.ts'
import { invalidToken } from '../../http/guards.ts'
import { BY_SECRET_OR_TOKEN } from '../oauth-parameters.ts'
import { watchCredentialExpiry } from './credential-expiry.ts'
import type { RevocationFeed } from './feed.ts'
import type { SseSubscriber } from './sse-subscriber.ts'

export interface FeedRouteOptions {
  feed: RevocationFeed
  authorizeClient: ClientAuthentication['authorizeClient']
  /** The database's clock, in Unix seconds. */
  now (): number
}

const HEAD = {
  'content-type': 'text/event-stream',
  // For proxies: an event that waits in a buffer is late.
  'x-accel-buffering': 'no'
}

const EXAMPLE = `event: revocation
data: {"kind":"session","id":"01890a5d-ac97-7d3c-9a41-5f6f2b1f0c5e","expiresAt":1769864460}

event: revocation
data: {"kind":"user","id":"01890a5d-ac96-774b-bcce-b302099a8057","minVersion":2,"expiresAt":1769864460}

event: sync
id: 5d3a6c1e-….738.16384~812:812:
data: {"ageMs":4}

`

/** The feed of revocations, for services that verify tokens themselves. */
export const feedRoute: FastifyPluginAsyncTypebox<FeedRouteOptions> = async (app, { feed, authorizeClient, now }) => {
  const authorize = authorizeClient('revocations:read')
  // Not later: the server waits for whoever is still connected.
  app.addHook('preClose', async () => feed.close())

  app.get('/revocations', {
    schema: {
      operationId: 'followRevocations',
      tags: ['Services'],
      summary: 'Follow revocations as they happen',
      description: 'Server-sent events, for clients with the scope `revocations:read`: a `revocation` for each that is live, then a `sync`, then both as they happen. A `sync` attests that everything was told that the ledger held `ageMs` before; it comes every 5 s at the latest, unless the service cannot read its ledger. Its id is the cursor to come back with.',
      security: BY_SECRET_OR_TOKEN,
      headers: Type.Object({
        'last-event-id': Type.Optional(Type.String({ description: 'The id of the last `sync`: only what was missed since is told. One that is not known: everything' }))
      }),
      response: {
        200: { description: 'The stream, until it is closed', content: { 'text/event-stream': { schema: Type.String(), example: EXAMPLE } } },
        ...problemResponses('invalid_client', 'invalid_token', 'insufficient_scope', 'too_busy', 'unavailable')
      }
    }
  }, async (request, reply) => {
    const client = await authorize(request)
    const endsIn = client.expiresAt === null ? null : (client.expiresAt - now()) * 1000
    // Good elsewhere still, for clocks differ; a feed that ends as it begins would tell its follower nothing.
    if (endsIn !== null && endsIn <= 0) throw invalidToken(new Error('The credential has nothing left'))
    if (request.method === 'HEAD') return reply.headers(HEAD).send('')

    const since = performance.now()
    const follower: SseSubscriber = feed.admit({
      clientId: client.id,
      response: reply.raw,
      begin () {
        reply.hijack()
        reply.raw.setTimeout(0)
        for (const [name, value] of Object.entries({ ...reply.getHeaders(), ...HEAD })) if (value !== undefined) reply.raw.setHeader(name, value)
        reply.raw.writeHead(200)
      },
      onDisconnect (why) {
        unwatch()
        request.log.info({ clientId: client.id, why, seconds: Math.round((performance.now() - since) / 1000) }, 'a follower of revocations left')
      }
    })
    const unwatch = watchCredentialExpiry({
      endsIn,
      check: () => authorize(request)
    }, follower.disconnect)

    try {
      await feed.catchUp(follower, request.headers['last-event-id'])
    } catch (error) {
      follower.disconnect('ledger unavailable')
      if (!reply.sent) throw error
      request.log.warn({ err: error, clientId: client.id }, 'could not tell a follower of everything')
    }
  })
}
