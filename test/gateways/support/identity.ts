import type { Test } from 'tap'
import { PASSWORD } from '../../support/service.ts'
import { bearer, cookie, forgeries, SPELLINGS } from './credentials.ts'
import type { World } from './world.ts'

/** Who the service behind is told is asking: what Countersign says, and never what the client says. */
export async function tellsWhoAsks (t: Test, { ask, ada, countersign, services }: World): Promise<void> {
  const token = bearer(ada.accessToken)

  await t.test('refuses who shows nothing, or nothing good, and asks the service nothing', async t => {
    t.match(await ask('GET /node/orders'), { status: 401, headers: { 'www-authenticate': ['Bearer'] }, reached: false })
    t.match(await ask('GET /node/orders', { headers: [bearer('a.b.c')] }), { status: 401, headers: { 'www-authenticate': ['Bearer error="invalid_token"'] }, reached: false })
    t.match(await ask('GET /auth/../node/orders'), { reached: false }, 'nor by way of a path that is open')
  })

  await t.test('tells every kind of service behind, by token and by cookie', async t => {
    const cookies = await countersign.cookiesOf(ada)
    for (const kind of services.kinds) {
      for (const headers of [[token], [cookie(cookies)]]) {
        const { status, seen } = await ask(`GET ${kind}orders?page=2`, { headers })
        t.match({ status, ...seen }, { status: 200, headers: { HTTP_X_AUTH_USER_ID: ada.user.id, HTTP_X_AUTH_ROLE: 'user' } }, kind)
        t.equal(seen?.headers.HTTP_X_AUTH_EMAIL, undefined, 'an address that is not verified is no identity')
      }
    }
  })

  await t.test('tells the address too, once it is verified', async t => {
    const bob = await countersign.person()
    await countersign.sql('UPDATE users SET email_verified = true WHERE id = $1::uuid', bob.user.id)
    const { accessToken } = await countersign.logIn(bob)
    const { seen } = await ask('GET /node/orders', { headers: [bearer(accessToken)] })
    t.match(seen?.headers, { HTTP_X_AUTH_EMAIL: encodeURIComponent(bob.email), HTTP_X_AUTH_ROLE: 'user' })
  })

  await t.test('believes nothing of the kind from outside, however it is spelt, once or twice', async t => {
    for (const kind of services.kinds) {
      for (const headers of [...forgeries('admin'), ...forgeries('admin', 'root')]) {
        const { status, seen } = await ask(`GET ${kind}orders`, { headers: [token, ...headers] })
        t.equal(status, 200)
        t.strictSame(identity(seen?.headers), { HTTP_X_AUTH_USER_ID: ada.user.id, HTTP_X_AUTH_ROLE: 'user' }, kind)
        t.match(await ask(`GET ${kind}orders`, { headers }), { status: 401, reached: false })
      }
    }
  })

  await t.test('never lets in who asks for the headers to be left out', async t => {
    for (const name of SPELLINGS) {
      const { status, seen } = await ask('GET /node/orders', { headers: [['Connection', `close, ${name}`], token] })
      const told = status === 200 && identity(seen?.headers)
      t.strictSame(told || status, told ? { HTTP_X_AUTH_USER_ID: ada.user.id, HTTP_X_AUTH_ROLE: 'user' } : 400, name)
      t.notMatch(seen?.headers.HTTP_CONNECTION ?? '', /auth/i, `nor hands it on to a service that would: ${name}`)
    }
  })

  await t.test('leaves roles to the service: it hears which, and its refusal is passed on', async t => {
    for (const headers of forgeries('admin')) t.match(await ask('GET /node/admins', { headers: [token, ...headers] }), { status: 403, reached: true })
    const { accessToken } = await countersign.admin()
    t.match(await ask('GET /node/admins', { headers: [bearer(accessToken)] }), { status: 200, seen: { headers: { HTTP_X_AUTH_ROLE: 'admin' } } })
  })

  await t.test('hands on no word of the client on where the request came in', async t => {
    const { seen } = await ask('GET /node/orders', { headers: [token, ['X-Forwarded-Host', 'evil.example'], ['X-Forwarded-Proto', 'gopher']] })
    t.notMatch(seen?.headers.HTTP_X_FORWARDED_HOST ?? '', /evil/)
    t.notMatch(seen?.headers.HTTP_X_FORWARDED_PROTO ?? '', /gopher/)
  })

  await t.test('lets no TRACE through, which echoes what a service is told', async t => {
    t.match(await ask('TRACE /node/orders', { headers: [token] }), { reached: false })
  })

  await t.test('refuses who has logged out, at once', async t => {
    const { accessToken } = await countersign.logIn({ email: ada.email, password: PASSWORD })
    t.equal((await ask('GET /node/orders', { headers: [bearer(accessToken)] })).status, 200)
    t.equal((await ask('POST /auth/logout', { headers: [bearer(accessToken)] })).status, 204)
    t.match(await ask('GET /node/orders', { headers: [bearer(accessToken)] }), { status: 401, reached: false })
  })
}

function identity (headers: Readonly<Record<string, string>> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('HTTP_X_AUTH_')))
}
