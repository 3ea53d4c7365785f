import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import { createRevocationFeed, type FeedParts, type RevocationFeed } from '../../../src/clients/feed/feed.ts'
import type { Leaving } from '../../../src/clients/feed/follower.ts'
import { follow, type Follower as Instance } from '../../revocation/following.ts'
import type { Database } from '../../../src/database/database.ts'

/** The feed of an instance, served over HTTP to whoever asks, without the service around it. */
export interface ServedFeed extends Instance {
  readonly feed: RevocationFeed
  readonly origin: string
  /** The answers that it has begun. */
  readonly responses: readonly ServerResponse[]
  /** Why followers left, in the order in which they did. */
  readonly left: readonly Leaving[]
}

export async function serveFeed (t: Test, { database, ...parts }: { database: Database } & Pick<FeedParts, 'limits' | 'patience'>): Promise<ServedFeed> {
  const instance = await follow(t, { database })
  const feed = createRevocationFeed({ database, revocation: instance.propagation, metrics: { gauge () {} }, ...parts })
  const responses: ServerResponse[] = []
  const left: Leaving[] = []

  async function tell (request: IncomingMessage, response: ServerResponse): Promise<void> {
    const follower = feed.admit({
      clientId: String(request.headers.authorization),
      response,
      begin () { responses.push(response); response.writeHead(200) },
      onLeft: why => { left.push(why) }
    })
    try {
      await feed.catchUp(follower, request.headers['last-event-id']?.toString())
    } catch (error) {
      follower.leave('ledger unavailable')
      throw error
    }
  }

  const server = createServer((request, response) => {
    tell(request, response).catch(() => { if (!response.headersSent) response.writeHead(503).end() })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => { feed.close(); server.closeAllConnections(); server.close() })
  return { ...instance, feed, responses, left, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}
