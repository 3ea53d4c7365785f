import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { problemResponses } from '../../http/openapi/openapi-responses.ts'
import type { ClientAuthentication } from '../client-authentication.ts'
import { invalidToken } from '../../http/guards.ts'
import { BY_SECRET_OR_TOKEN } from '../oauth-parameters.ts'
import { createCredentialWatch, type FindClients } from './credential-watch.ts'
import type { RevocationFeed } from './feed.ts'

export interface FeedRouteOptions {
  feed: RevocationFeed
  authorizeClient: ClientAuthentication['authorizeClient']
  findClients: FindClients
  /** The database's clock, in Unix seconds. */
  now (): number
}

const HEAD = {
  'content-type': 'text/event-stream',
  // Tells proxies not to buffer events.
  'x-accel-buffering': 'no'
}

const SCOPE = 'revocations:read'

const EXAMPLE = `event: revocation
data: {"kind":"session","id":"01890a5d-ac97-7d3c-9a41-5f6f2b1f0c5e","expiresAt":1769864460}

event: revocation
data: {"kind":"user","id":"01890a5d-ac96-774b-bcce-b302099a8057","minVersion":2,"expiresAt":1769864460}

event: sync
id: 5d3a6c1e-….738.16384~812:812:
data: {"ageMs":4,"nowMs":1769860861250}

`

/** The revocation feed, for services that verify tokens themselves. */
export const feedRoute: FastifyPluginAsyncTypebox<FeedRouteOptions> = async (app, { feed, authorizeClient, findClients, now }) => {
  const authorize = authorizeClient(SCOPE)
  const watchCredential = createCredentialWatch({ find: findClients })
  // Before the server closes, which waits for open connections.
  app.addHook('preClose', async () => feed.close())

  app.get('/revocations', {
    schema: {
      operationId: 'followRevocations',
      tags: ['Services'],
      summary: 'Follow revocations as they happen',
      description: 'A stream of server-sent events, for clients with the scope `revocations:read`: one `revocation` event for each live revocation, then a `sync` event, then both as they happen. A `sync` event attests that every revocation was sent that the ledger held `ageMs` milliseconds before; `nowMs` is the clock of the ledger, which `expiresAt` is by, in Unix milliseconds. It is sent at least every 5 s, unless the service cannot read its ledger. Its id is the cursor to reconnect with. A client may have 1,000 connections to an instance; for more it gets 429.',
      security: BY_SECRET_OR_TOKEN,
      headers: Type.Object({
        'last-event-id': Type.Optional(Type.String({ description: 'The id of the last `sync` event. The stream then starts with what was missed since; with an unknown id, or without one, it starts with every live revocation.' }))
      }),
      response: {
        200: { description: 'The stream of events, until it is closed', content: { 'text/event-stream': { schema: Type.String(), example: EXAMPLE } } },
        ...problemResponses('invalid_client', 'invalid_token', 'insufficient_scope', 'too_many_requests', 'too_busy', 'unavailable')
      }
    }
  }, async (request, reply) => {
    const client = await authorize(request)
    const expiresIn = client.expiresAt === null ? null : (client.expiresAt - now()) * 1000
    // Elsewhere the clock tolerance still lets it in; here the stream would end as it begins.
    if (expiresIn !== null && expiresIn <= 0) throw invalidToken(new Error('The credential has expired'))
    if (request.method === 'HEAD') return reply.headers(HEAD).send('')

    const connectedAt = performance.now()
    const subscriber = feed.subscribe({
      clientId: client.id,
      credential: client.credential,
      response: reply.raw,
      begin () {
        reply.hijack()
        reply.raw.setTimeout(0)
        for (const [name, value] of Object.entries({ ...reply.getHeaders(), ...HEAD })) if (value !== undefined) reply.raw.setHeader(name, value)
        reply.raw.writeHead(200)
      },
      onDisconnect (reason) {
        unwatch()
        request.log.info({ clientId: client.id, reason, seconds: Math.round((performance.now() - connectedAt) / 1000) }, 'revocation feed disconnected')
      }
    })
    const unwatch = watchCredential({ clientId: client.id, credential: client.credential, scope: SCOPE, expiresIn }, subscriber.disconnect)

    try {
      await feed.catchUp(subscriber, request.headers['last-event-id'])
    } catch (error) {
      subscriber.disconnect('ledger unavailable')
      if (!reply.sent) throw error
      request.log.warn({ err: error, clientId: client.id }, 'revocation feed could not catch up')
    }
  })
}
