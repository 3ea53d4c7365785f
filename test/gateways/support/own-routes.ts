import type { Test } from 'tap'
import { PASSWORD, type LoginBody } from '../../support/service.ts'
import { bearer, json } from './credentials.ts'
import { CLIENT_ADDRESS } from './request.ts'
import type { World } from './world.ts'

/** Countersign's own routes, by way of the gateway. */
export async function servesCountersign (t: Test, { ask, ada }: World): Promise<void> {
  await t.test('logs in, refreshes and logs out through it, and every cookie arrives', async t => {
    const { headers: contentType, body } = json({ email: ada.email, password: PASSWORD, deliver: 'cookie' })
    const site = ['Sec-Fetch-Site', 'same-origin'] as const
    const login = await ask('POST /auth/login', { headers: [...contentType, site], body })
    t.equal(login.status, 200)
    const first = carry(login.headers['set-cookie'])
    t.strictSame(Object.keys(first).sort(), ['__Host-access', '__Host-device', '__Host-refresh'])

    const refresh = await ask('POST /auth/refresh', { headers: [cookies(first), site] })
    t.equal(refresh.status, 200)
    const second = { ...first, ...carry(refresh.headers['set-cookie']) }
    t.not(second['__Host-refresh'], first['__Host-refresh'])
    t.match(await ask('GET /node/orders', { headers: [cookies(second)] }), { status: 200, seen: { headers: { HTTP_X_AUTH_USER_ID: ada.user.id } } })

    const logout = await ask('POST /auth/logout', { headers: [cookies(second), site] })
    t.equal(logout.status, 204)
    t.match(carry(logout.headers['set-cookie']), { '__Host-access': '', '__Host-refresh': '' })
    t.match(await ask('GET /node/orders', { headers: [cookies(second)] }), { status: 401, reached: false })
  })

  await t.test('the session list has the address that the client came from, not one it names', async t => {
    const forwarded = [['X-Forwarded-For', '203.0.113.9'], ['X-Real-IP', '203.0.113.9'], ['Forwarded', 'for=203.0.113.9']] as const
    const { headers, body } = json({ email: ada.email, password: PASSWORD })
    const { accessToken } = JSON.parse((await ask('POST /auth/login', { headers: [...headers, ...forwarded], body })).body) as LoginBody
    const list = JSON.parse((await ask('GET /auth/sessions', { headers: [bearer(accessToken)] })).body) as { items: { ip: string, current: boolean }[] }
    t.match(list.items.filter(({ current }) => current), [{ ip: CLIENT_ADDRESS }])
  })

  await t.test('routes what is for browsers to Countersign, and nothing that is for the inside', async t => {
    t.match(await ask('GET /.well-known/jwks.json'), { status: 200, reached: false })
    t.match(await ask('GET /.well-known/oauth-authorization-server'), { status: 200, reached: false })
    t.match(await ask('GET /admin/users', { headers: [bearer(ada.accessToken)] }), { status: 403, headers: { 'content-type': [/problem/] }, reached: false })
    for (const path of ['/metrics', '/health/ready', '/oauth/token', '/revocations']) {
      t.match(await ask(`GET ${path}`), { status: 401, headers: { 'www-authenticate': ['Bearer'] }, reached: false }, path)
    }
  })
}

function carry (setCookie: readonly string[] = []): Record<string, string> {
  return Object.fromEntries(setCookie.map(line => {
    const [pair = ''] = line.split(';')
    return [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]
  }))
}

function cookies (jar: Record<string, string>) {
  return ['Cookie', Object.entries(jar).map(pair => pair.join('=')).join('; ')] as const
}
