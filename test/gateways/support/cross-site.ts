import type { Test } from 'tap'
import { cookie } from './credentials.ts'
import { openUpgrade, openWebSocket } from './request.ts'
import { ALLOWED_ORIGIN, FOREIGN_ORIGIN, type World } from './world.ts'

const FOREIGN = [['Sec-Fetch-Site', 'cross-site'], ['Origin', FOREIGN_ORIGIN]] as const
const ALLOWED = [['Sec-Fetch-Site', 'cross-site'], ['Origin', ALLOWED_ORIGIN]] as const

/** What pages of other origins may do with the cookies of who looks at them. */
export async function keepsSitesApart (t: Test, { ask, ada, countersign, places }: World): Promise<void> {
  const cookies = cookie(await countersign.cookiesOf(ada))

  await t.test('lets no page of a foreign origin change anything', async t => {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
      t.match(await ask(`${method} /node/orders`, { headers: [cookies, ...FOREIGN], body: Buffer.from('{}') }), { status: 403, reached: false }, method)
      t.match(await ask(`${method} /node/orders`, { headers: [cookies, ['Sec-Fetch-Site', 'same-origin']], body: Buffer.from('{}') }), { status: 200, seen: { method, bytes: 2 } }, method)
    }
    t.match(await ask('POST /node/orders', { headers: [cookies, ['X-Forwarded-Method', 'GET'], ...FOREIGN] }), { status: 403, reached: false }, 'whatever a client says of its method')
    t.match(await ask('GET /node/orders', { headers: [cookies, ...FOREIGN] }), { status: 200 }, 'reading is no matter')
  })

  await t.test('opens a WebSocket for an allowed origin, and for no other', async t => {
    t.strictSame(await openWebSocket(places.listen, '/node/live', { headers: [cookies, ...ALLOWED] }), { status: 101, echo: 'through' })
    t.strictSame(await openWebSocket(places.listen, '/node/live', { headers: [cookies, ...FOREIGN] }), { status: 403 })
    t.strictSame(await openWebSocket(places.listen, '/node/live', { headers: [cookies, ['X-Forwarded-Upgrade', ''], ['Origin', FOREIGN_ORIGIN]] }), { status: 403 }, 'whatever a client says of it')
    t.strictSame(await openWebSocket(places.listen, '/node/live', { headers: [...ALLOWED] }), { status: 401 })
  })

  await t.test('opens a connection of no other protocol', async t => {
    for (const protocol of ['h2c', 'foo', 'h2c, websocket', 'websocket, h2c']) {
      t.not((await openUpgrade(places.listen, '/node/live', protocol, { headers: [cookies, ...ALLOWED] })).status, 101, protocol)
    }
  })

  await t.test('answers preflights itself, from a list of origins', async t => {
    const preflight = [['Access-Control-Request-Method', 'PATCH'], ['Access-Control-Request-Headers', 'content-type']] as const
    const { status, headers, reached } = await ask('OPTIONS /node/orders', { headers: [['Origin', ALLOWED_ORIGIN], ...preflight] })
    t.ok(status === 200 || status === 204, `${status}`)
    t.match(headers, { 'access-control-allow-origin': [ALLOWED_ORIGIN], 'access-control-allow-credentials': ['true'], 'access-control-allow-methods': [/PATCH/], 'access-control-allow-headers': [/content-type/i] })
    t.notOk(reached)
    t.match(await ask('OPTIONS /node/orders', { headers: [['Origin', FOREIGN_ORIGIN], ...preflight] }), { headers: { 'access-control-allow-origin': undefined }, reached: false })
  })

  await t.test('says to each page whether it may read, once', async t => {
    for (const [headers, status] of [[[cookies], 200], [[], 401]] as const) {
      const allowed = await ask('GET /node/orders', { headers: [...headers, ...ALLOWED] })
      t.match(allowed, { status, headers: { 'access-control-allow-origin': [ALLOWED_ORIGIN], 'access-control-allow-credentials': ['true'] } })
      t.equal(allowed.headers['access-control-allow-origin']?.length, 1)
      t.match(await ask('GET /node/orders', { headers: [...headers, ...FOREIGN] }), { status, headers: { 'access-control-allow-origin': undefined } })
    }
    const own = await ask('GET /auth/me', { headers: [cookies, ...ALLOWED] })
    t.strictSame([own.status, own.headers['access-control-allow-origin']], [200, [ALLOWED_ORIGIN]], 'of Countersign itself as well')
  })
}
