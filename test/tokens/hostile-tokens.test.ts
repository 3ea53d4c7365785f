import t from 'tap'
import { createSeal } from '../../src/tokens/seal.ts'
import { deriveKeyRing } from '../../src/tokens/derived-keys.ts'
import { fitsInHeader, hostileTokens, oddTokens, SUBJECT, type TokenIssuer } from '../support/hostile-tokens.ts'
import { startService, type TestService } from '../support/service.ts'

const now = () => Date.now() / 1000

/** Everything that the service itself can write: whoever is refused with this is refused for what the token says. */
function issuerOf ({ config: { jwtSecrets: [secret = ''], issuer, audience, secrets } }: TestService): TokenIssuer {
  const seal = createSeal(deriveKeyRing(secrets, 'seal').map(({ bytes }) => bytes))
  return { secret, issuer, audience, seal: seal.create }
}

async function refusals (service: TestService): Promise<Map<string, number>> {
  const { text } = await service.call('GET /metrics')
  return new Map([...text.matchAll(/^countersign_tokens_refused_total\{reason="(\w+)"\} (\d+)$/gm)].map(([, reason = '', count]) => [reason, Number(count)]))
}

t.test('hostile tokens over HTTP', async t => {
  const service = await startService(t)
  const issuer = issuerOf(service)
  const hostile = hostileTokens(issuer)

  t.test('are 401 as a Bearer token, whatever is wrong with them, and counted by their reason', async t => {
    const before = await refusals(service)
    const expected = new Map(before)
    let asked = 0
    for (const { name, reason, write } of hostile) {
      const token = write(now())
      if (!fitsInHeader(token)) continue
      asked++
      expected.set(reason, (expected.get(reason) ?? 0) + 1)
      const { status, body, headers } = await service.call('GET /auth/verify', { token })
      t.strictSame([status, body.code, headers['www-authenticate']], [401, 'invalid_token', 'Bearer error="invalid_token"'], name)
    }
    t.ok(asked > 150, `${asked} tokens`)
    t.strictSame([...await refusals(service)].sort(), [...expected].sort())
  })

  t.test('are 401 as a cookie, and on a route that asks the database and one for admins', async t => {
    for (const { name, write } of hostile) {
      const token = write(now())
      if (!/^[\w.=+/-]*$/.test(token) || token.length > 8000) continue
      const statuses = await Promise.all([
        service.call('GET /auth/verify', { cookies: { access: token } }),
        service.call('GET /auth/me', { token }),
        service.call('GET /admin/users', { token })
      ].map(async answer => (await answer).status))
      t.strictSame(statuses, [401, 401, 401], name)
    }
  })

  t.test('differ from odd ones, which are good', async t => {
    for (const { name, write } of oddTokens(issuer)) {
      const { status, body } = await service.call<{ id: string, role: string }>('GET /auth/verify', { token: write(now()) })
      t.match({ status, body }, { status: 200, body: { id: SUBJECT.sub, role: 'user' } }, name)
    }
  })

  t.test('log no error', async t => {
    t.strictSame(service.log.filter(({ level }) => level >= 50), [])
  })
})
