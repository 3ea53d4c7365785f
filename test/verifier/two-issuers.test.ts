import t from 'tap'
import { SUBJECT } from '../support/hostile-tokens.ts'
import { goodToken, OPTIONS } from '../support/verifiers.ts'
import { faces } from './faces.ts'

// Browsers share the cookies of plain http among all ports of a host, and a domain's among all hosts below it.
const SHARED = {
  access: { ...OPTIONS, publicUrl: 'http://localhost:3000' },
  '__Secure-access': { ...OPTIONS, cookieDomain: 'example.com' }
}

for (const [face, start] of Object.entries(faces)) {
  for (const [name, options] of Object.entries(SHARED)) {
    t.test(`${face}: of two ${name} cookies the one of its own issuer decides`, async t => {
      const service = await start(t, options)
      const [own, another] = [goodToken(), goodToken({ iss: 'https://other.example.com' })]
      const mine = (...values: string[]) => service.call('GET /mine', { cookie: values.map(value => `${name}=${value}`).join('; ') })
      for (const values of [[own, another], [another, own], [another, own, another]]) t.match(await mine(...values), { status: 200, body: { id: SUBJECT.sub, credential: 'cookie' } })
      t.match(await mine(another, another), { status: 401, body: { code: 'unauthenticated' } }, 'two of others are none')
      t.match(await mine(another, goodToken({ exp: 1 })), { status: 401, body: { code: 'invalid_token' } }, 'one of its own that is bad stays bad')
      for (const values of [[own, own], [own, goodToken({ jti: 'another' })], [own, another, own], [own, 'x'], [own, ''], ['x', another, own]]) {
        t.match(await mine(...values), { status: 401, body: { code: 'invalid_token' } }, 'and two that may be its own identify nobody')
      }
      t.match(await service.call('POST /mine', { cookie: `${name}=${own}; ${name}=${another}`, origin: 'https://evil.example' }), { status: 403, body: { code: 'cross_site_request' } })
    })
  }
}
