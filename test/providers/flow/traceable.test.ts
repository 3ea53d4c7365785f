import t from 'tap'
import { createEncryption } from '../../../src/tokens/encryption.ts'
import { deriveKeyRing } from '../../../src/tokens/derived-keys.ts'
import { agree, cookiesOf, finishFlow, startFlow, startUrl } from '../../support/providers/sign-in.ts'
import type { Browser } from '../../support/providers/browser.ts'
import { APP, PUBLIC_URL, startWorld } from '../../support/providers/world.ts'

const HOST = 'auth.example.com'

t.test('a failed sign-in', async t => {
  const { service, google, acme, browser } = await startWorld(t)
  google.accounts.set('ada', { email: 'ada@example.com', email_verified: true })
  const lines = () => service.log.filter(({ msg }) => msg === 'provider sign-in failed')

  /** Changes when the only flow of a browser says that it was started. */
  function move (somebody: Browser, seconds: number): void {
    const encryption = createEncryption(deriveKeyRing(service.config.secrets, 'flow'))
    const [name = '', value = ''] = Object.entries(cookiesOf(somebody)).find(([name]) => name.includes('flow-')) ?? []
    const id = name.slice('__Host-flow-'.length)
    const flow = JSON.parse(encryption.decrypt(value, id) ?? '{}') as { startedAt: number }
    somebody.jar.set(HOST, name, encryption.encrypt(JSON.stringify({ ...flow, startedAt: flow.startedAt + seconds * 1000 }), id))
  }

  t.test('is traced from the redirect to its line in the log', async t => {
    const somebody = browser()
    const { page } = await finishFlow(somebody, await agree(somebody, await startFlow(somebody, 'google'), null))
    const id = page.location?.searchParams.get('request_id')
    t.match(page.location?.href, `${APP}?error=access_denied&request_id=`)
    t.ok(id)
    t.match(lines().filter(({ reqId }) => reqId === id), [{ provider: 'google', code: 'access_denied' }])
  })

  t.test('so is one that could not start', async t => {
    await acme.takeDown(t)
    const page = await browser().visit(startUrl('acme'))
    const id = page.location?.searchParams.get('request_id')
    t.match(page.location?.href, `${APP}?error=provider_unavailable&request_id=`)
    t.equal(lines().filter(({ reqId }) => reqId === id).length, 1)
  })

  t.test('names the cause of an invalid state', async t => {
    const reasonOf = async (somebody: Browser, callback: URL) => {
      const { page, error } = await finishFlow(somebody, callback)
      t.equal(error, 'invalid_state')
      const id = page.location?.searchParams.get('request_id')
      return lines().find(({ reqId }) => reqId === id)?.reason
    }
    const somebody = browser()
    const state = async (somebody: Browser) => new URL(`${PUBLIC_URL}/auth/providers/google/callback?code=x&state=${(await startFlow(somebody, 'google')).searchParams.get('state')}`)
    t.equal(await reasonOf(browser(), await state(somebody)), 'no cookie')
    t.equal(await reasonOf(browser(), new URL(`${PUBLIC_URL}/auth/providers/google/callback?code=x&state=invented`)), 'no cookie')

    const used = browser()
    const callback = await state(used)
    const kept = Object.entries(cookiesOf(used)).filter(([name]) => name.includes('flow-'))
    await finishFlow(used, callback)
    for (const [name, value] of kept) used.jar.set(HOST, name, value)
    await service.sql("DELETE FROM one_time_tokens WHERE purpose = 'flow_answer'")
    t.equal(await reasonOf(used, callback), 'used')

    const old = browser()
    const late = await state(old)
    move(old, -601)
    t.equal(await reasonOf(old, late), 'too old')

    const forgotten = new URL(late)
    const made = late.searchParams.get('state') ?? ''
    forgotten.searchParams.set('state', made.replace(/[0-9a-z]+$/, (Date.now() - 601_000).toString(36)))
    t.equal(await reasonOf(browser(), forgotten), 'too old', 'the browser has dropped its cookie by then')

    const other = browser()
    const mixedUp = await state(other)
    mixedUp.pathname = '/auth/providers/acme/callback'
    t.equal(await reasonOf(other, mixedUp), 'another provider')

    const ahead = browser()
    const early = await state(ahead)
    move(ahead, 61)
    t.equal(await reasonOf(ahead, early), 'started in the future')
    const near = browser()
    const fine = await agree(near, await startFlow(near, 'google'), 'ada')
    move(near, 50)
    t.match(await finishFlow(near, fine), { error: null }, 'clocks differ a little')
  })

  t.test('says when it began at another origin than PUBLIC_URL, and when it came back to one', async t => {
    await service.call(`GET ${startUrl('google')}`, { headers: { host: 'localhost:3000' } })
    t.match(service.log.findLast(({ msg }) => msg.startsWith('sign-in begun at another origin')), { host: 'localhost:3000', publicUrl: PUBLIC_URL })
    await service.call('GET /auth/providers/google/callback?code=x&state=y', { headers: { host: 'localhost:3000' } })
    t.match(lines().at(-1), { reason: 'no cookie', host: 'localhost:3000', publicUrl: PUBLIC_URL })
    const before = service.log.length
    await service.call(`GET ${startUrl('google')}`, { headers: { host: HOST } })
    t.notOk(service.log.slice(before).some(({ msg }) => msg.startsWith('sign-in begun')))
  })
})
