import jwt from 'jsonwebtoken'
import t from 'tap'
import { startService } from '../support/service.ts'

const REFUSED = /^countersign_tokens_refused_total\{reason="forged"\} (\d+)$/m

t.test('a token forged with JWT_SECRET itself', async t => {
  const service = await startService(t)
  const { call, config: { jwtSecrets: [secret = ''] } } = service
  const { accessToken, user } = await service.person()
  const { header, payload } = jwt.verify(accessToken, secret, { algorithms: ['HS256'], complete: true })
  const claims = payload as jwt.JwtPayload
  const sign = (claims: object) => jwt.sign(claims, secret, { algorithm: 'HS256', header })
  const forgedSoFar = async () => Number(REFUSED.exec((await call('GET /metrics')).text)?.[1])

  t.test('is written as the service writes: with nothing changed it is the good token', async t => {
    t.equal(sign(claims), accessToken)
    t.equal((await call('GET /auth/verify', { token: accessToken })).status, 200)
  })

  t.test('with the role changed is refused on every guarded route, and counted', async t => {
    const document = (await call<{ paths: Record<string, Record<string, { security?: Array<Record<string, unknown>> }>> }>('GET /openapi.json')).body
    const guarded = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.entries(operations).filter(([, { security = [] }]) => security.some(scheme => 'bearerAuth' in scheme) && security.every(scheme => Object.keys(scheme).length > 0)).map(([method]) => `${method.toUpperCase()} ${path.replace('{id}', user.id)}`))
    t.ok(guarded.length >= 5 && guarded.includes('GET /admin/users'), `${guarded.length} routes`)
    const forged = sign({ ...claims, role: 'admin' })
    const before = await forgedSoFar()
    for (const target of guarded) {
      for (const options of [{ token: forged }, { cookies: { access: forged }, headers: { 'sec-fetch-site': 'same-origin' } }]) {
        const { status, body, headers } = await call(target, options)
        t.strictSame([status, body.code, headers['www-authenticate']], [401, 'invalid_token', 'Bearer error="invalid_token"'], target)
      }
    }
    t.equal(await forgedSoFar(), before + guarded.length * 2)
  })

  t.test('with any one claim changed is refused and counted', async t => {
    const other = await service.person()
    const otherClaims = jwt.decode(other.accessToken) as jwt.JwtPayload
    const changes: Record<string, object> = {
      'another subject': { sub: other.user.id },
      'another session': { sid: otherClaims.sid },
      'a later end': { exp: Number(claims.exp) + 600 },
      'a later beginning': { iat: Number(claims.iat) - 1 },
      'another version': { ver: 2 },
      'another address': { email: 'root@example.com' },
      'a verified address': { email_verified: true },
      'another client': { client_id: 'client_x' },
      'a claim more': { scope: 'everything' },
      'the seal of somebody else': { jti: otherClaims.jti },
      'no seal': { jti: 'x'.repeat(43) },
      'no jti': { jti: undefined }
    }
    for (const [name, change] of Object.entries(changes)) {
      const before = await forgedSoFar()
      t.equal((await call('GET /auth/verify', { token: sign({ ...claims, ...change }) })).status, 401, name)
      t.equal(await forgedSoFar(), before + 1, name)
    }
  })

  t.test('takes nobody out of the session that it copies', async t => {
    await call('POST /auth/logout', { token: sign({ ...claims, role: 'admin' }) })
    t.equal((await call('GET /auth/verify', { token: accessToken })).status, 200)
  })
})
