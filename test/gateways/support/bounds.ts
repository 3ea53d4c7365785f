import type { Test } from 'tap'
import { bearer, cookie } from './credentials.ts'
import type { World } from './world.ts'

/** How 16 KB of cookies that are not Countersign's are answered: in one header (HTTP/1.1), or in several (HTTP/2). */
export interface ManyCookies {
  inOne: 200 | 400 | 431
  inSeveral: 200 | 400 | 431
}

/** What a gateway answers while Countersign is gone, or hangs. */
export interface Away {
  gone: number
  hung: number
}

/** Large requests, and a Countersign that does not answer. */
export async function keepsBounds (t: Test, { ask, ada, countersign, line, services }: World, manyCookies: ManyCookies, away?: Away): Promise<void> {
  const headers = [bearer(ada.accessToken)]

  await t.test('hands a large body to the service alone', async t => {
    const body = Buffer.alloc(5 * 1024 * 1024, 'x')
    for (const kind of services.kinds) {
      t.match(await ask(`POST ${kind}orders`, { headers: [...headers, ['Content-Type', 'application/octet-stream']], body }), { status: 200, seen: { method: 'POST', bytes: body.length } }, kind)
    }
  })

  await t.test('16 KB of other cookies are no outage', async t => {
    const ours = await countersign.cookiesOf(ada)
    const foreign = Array.from({ length: 4 }, (_, index) => `foreign${index}=${'x'.repeat(4096)}`)
    const inOne = await ask('GET /node/orders', { headers: [cookie(ours, ...foreign)] })
    t.match(inOne, { status: manyCookies.inOne, reached: manyCookies.inOne === 200 })
    const inSeveral = await ask('GET /node/orders', { headers: [cookie(ours), ...foreign.map(pair => cookie({}, pair))] })
    t.match(inSeveral, { status: manyCookies.inSeveral, reached: manyCookies.inSeveral === 200 })
  })

  await t.test('says so where Countersign was sent too much', async t => {
    const long = 'x'.repeat(5000)
    t.match(await ask('GET /node/orders', { headers: [bearer(long), cookie({ '__Host-trusted': long })] }), { status: 431, reached: false })
  })

  await t.test('lets nobody in while Countersign is gone, and says to come back', async t => {
    await line.stop()
    t.match(await ask('GET /node/orders', { headers }), later(away?.gone))
    await line.start()
    t.equal((await ask('GET /node/orders', { headers })).status, 200)
  })

  await t.test('waits for a Countersign that hangs 2 s, and no longer', async t => {
    line.hang()
    const began = performance.now()
    t.match(await ask('GET /node/orders', { headers }), later(away?.hung))
    const took = performance.now() - began
    t.ok(took < 2500, `${took} ms`)
    await line.start()
    t.equal((await ask('GET /node/orders', { headers })).status, 200)
  })
}

function later (status?: number): object {
  return status === undefined ? { status: 503, headers: { 'retry-after': ['2'] }, reached: false } : { status, reached: false }
}
