import t from 'tap'
import { startService } from '../support/service.ts'

t.test('the API page needs no network: all that it names is served here, and its policy lets nothing else in', async t => {
  const { call } = await startService(t)
  const page = await call('GET /docs')
  t.equal(page.status, 200)

  const assets = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address]) => address ?? '')
  t.ok(assets.length >= 5)
  for (const asset of assets) {
    t.match(asset, /^\/docs\/static\//)
    t.equal((await call(`GET ${asset}`)).status, 200, asset)
  }
  t.notMatch(page.text, /<script(?![^>]* src=)|<style|\son\w+=/, 'nothing inline, which the policy forbids')

  const policy = String(page.headers['content-security-policy'])
  t.match(policy, /default-src 'none'/)
  t.match(policy, /script-src 'self';/)
  t.match(policy, /connect-src 'self';/)
  t.notMatch(policy, /https?:|upgrade-insecure-requests/, 'no other origin, and plain http stays plain')
})

t.test('the API page shows the document that the service serves', async t => {
  const { call } = await startService(t)
  const [shown, served] = [await call('GET /docs/json'), await call('GET /openapi.json')]
  t.equal(shown.status, 200)
  t.same(shown.body, served.body)
})
