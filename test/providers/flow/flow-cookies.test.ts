import Fastify from 'fastify'
import fc from 'fast-check'
import t from 'tap'
import { AmbiguousCookie, readCookie, readCookiesOf } from '../../../src/http/cookies.ts'
import { createAuthorizationFlows } from '../../../src/providers/flow/authorization-flows.ts'
import { deriveKeyRing } from '../../../src/tokens/derived-keys.ts'
import { createEncryption } from '../../../src/tokens/encryption.ts'
import { startService } from '../../support/service.ts'

const GITHUB = { ALLOWED_REDIRECTS: 'https://app.example.com/welcome', GITHUB_CLIENT_ID: 'web', GITHUB_CLIENT_SECRET: 'secret' }

t.test('of any number of flow cookies, ten are looked at', async t => {
  const { app } = await startService(t, GITHUB)
  const cookie = Array.from({ length: 890 }, (_, n) => `flow-${n}=`).join('; ')
  const { statusCode, headers } = await app.inject({ url: '/auth/providers/github', headers: { cookie } })
  t.equal(statusCode, 302)
  const set = [headers['set-cookie'] ?? []].flat()
  t.equal(set.length, 11, 'ten that are cleared, and the one of this flow')
  t.equal(set.filter(line => line.includes('Max-Age=0')).length, 10)
})

t.test('of flows that started within one millisecond, the one whose cookie the browser has had longest gives way', async t => {
  const app = Fastify()
  const flows = createAuthorizationFlows({ publicUrl: 'http://localhost' }, createEncryption(deriveKeyRing(['a secret of this test, long enough'], 'flow')), () => 1000)
  app.get('/start', (request, reply) => {
    flows.save(request, reply, flows.create({ provider: 'google', redirectTo: '/', purpose: { kind: 'sign_in', deliver: 'cookie' } }))
    return reply.send()
  })
  // RFC 6265 §5.4: of two cookies of one path the earlier is sent first.
  let held: string[] = []
  for (let tab = 0; tab < 6; tab++) {
    const { headers } = await app.inject({ url: '/start', headers: { cookie: held.join('; ') } })
    const set = [headers['set-cookie'] ?? []].flat()
    const removed = set.filter(line => line.includes('Max-Age=0')).map(line => line.slice(0, line.indexOf('=')))
    t.strictSame(removed, tab === 5 ? [held[0]?.slice(0, held[0].indexOf('='))] : [])
    held = [...held.filter(pair => !removed.includes(pair.slice(0, pair.indexOf('=')))), set.at(-1)?.split(';')[0] ?? '']
  }
})

t.test('cookies of a prefix are read as they are read one by one', async t => {
  const name = fc.constantFrom('flow-a', 'flow-b', 'flow-c', 'flow-', 'flow', 'other', '')
  const pair = fc.oneof(fc.tuple(name, fc.string({ maxLength: 5 })).map(([name, value]) => `${name}=${value}`), fc.string({ maxLength: 10 }))
  const separator = fc.constantFrom(';', '; ', ' ;', ';;')
  t.doesNotThrow(() => fc.assert(fc.property(fc.array(fc.tuple(pair, separator)), pairs => {
    const header = pairs.flat().join('')
    const found = readCookiesOf(header, 'flow-', 1000)
    return ['a', 'b', 'c'].every(rest => {
      try {
        const value = readCookie(header, `flow-${rest}`)
        return found.get(rest) === value && found.has(rest) === (value !== undefined)
      } catch (error) {
        return error instanceof AmbiguousCookie && found.has(rest) && found.get(rest) === undefined
      }
    })
  })))
  t.strictSame([...readCookiesOf('flow-a=1; x=2; flow-b=3; flow-c=4; flow-a=5', 'flow-', 2)], [['a', undefined], ['b', '3']])
})
