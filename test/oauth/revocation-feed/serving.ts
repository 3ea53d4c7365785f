import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import { createRevocationFeed, type FeedDeps, type RevocationFeed } from '../../../src/oauth/revocation-feed/feed.ts'
import type { DisconnectReason } from '../../../src/oauth/revocation-feed/sse-subscriber.ts'
import { Problem } from '../../../src/errors.ts'
import { follow, type FollowingInstance } from '../../revocation/following.ts'
import type { Database } from '../../../src/database/database.ts'

/** The feed of an instance, served over HTTP without authentication, and without the service around it. */
export interface ServedFeed extends FollowingInstance {
  readonly feed: RevocationFeed
  readonly origin: string
  /** The responses that it has begun. */
  readonly responses: readonly ServerResponse[]
  /** Why subscribers were disconnected, in order. */
  readonly left: readonly DisconnectReason[]
  /** How many connections it has, also those that wait. */
  followers (): number | Promise<number>
}

export async function serveFeed (t: Test, { database, ...parts }: { database: Database } & Pick<FeedDeps, 'limits' | 'backpressure'>): Promise<ServedFeed> {
  const instance = await follow(t, { database })
  let followers: ServedFeed['followers'] = () => 0
  const metrics: FeedDeps['metrics'] = { gauge (_name, _help, read) { followers = read } }
  const feed = createRevocationFeed({ database, revocation: { ...instance.ledgerSync, set: instance.set }, metrics, ...parts })
  const responses: ServerResponse[] = []
  const left: DisconnectReason[] = []

  async function serve (request: IncomingMessage, response: ServerResponse): Promise<void> {
    const subscriber = feed.subscribe({
      clientId: String(request.headers.authorization),
      credential: { secretHash: Buffer.alloc(32) },
      response,
      begin () { responses.push(response); response.writeHead(200) },
      onDisconnect: reason => { left.push(reason) }
    })
    try {
      await feed.catchUp(subscriber, request.headers['last-event-id']?.toString())
    } catch (error) {
      subscriber.disconnect('ledger unavailable')
      throw error
    }
  }

  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => {
      const { statusCode, headers } = error instanceof Problem ? error : { statusCode: 503, headers: {} }
      if (!response.headersSent) response.writeHead(statusCode, headers).end()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => { feed.close(); server.closeAllConnections(); server.close() })
  return { ...instance, feed, responses, left, followers: () => followers(), origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}
