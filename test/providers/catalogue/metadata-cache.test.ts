import t from 'tap'
import { Configuration } from 'openid-client'
import { cacheDiscovery } from '../../../src/providers/catalogue/cached-discovery.ts'

t.test('the metadata of a provider', async t => {
  let now = 0
  let isDown = false
  let asked = 0
  const failures: unknown[] = []
  const get = cacheDiscovery(async () => {
    asked++
    if (isDown) throw new Error('down')
    return new Configuration({ issuer: 'https://login.acme.example' }, 'countersign')
  }, { onFailed: error => failures.push(error), clock: () => now })

  const first = await get()
  now += 3_599_999
  t.equal(await get(), first, 'is kept for an hour')
  t.equal(asked, 1)

  isDown = true
  now += 1
  t.equal(await get(), first, 'and longer, while it does not answer')
  t.equal(asked, 2)
  t.match(failures, [{ message: 'down' }], 'which the log is told')
  now += 59_999
  t.equal(await get(), first)
  t.equal(asked, 2, 'it is asked again a minute later, and nobody waits meanwhile')
  now += 1
  await get()
  t.equal(asked, 3)

  isDown = false
  now += 60_000
  t.not(await get(), first)
})

t.test('a failed first fetch of metadata is not cached', async t => {
  let asked = 0
  const get = cacheDiscovery(async () => {
    asked++
    throw new Error('down')
  }, { onFailed: () => t.fail('it is told to whoever asked') })
  await t.rejects(get(), { message: 'down' })
  await t.rejects(get(), { message: 'down' })
  t.equal(asked, 2)
})
