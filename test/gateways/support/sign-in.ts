import type { Test } from 'tap'
import { bearer } from './credentials.ts'
import type { World } from './world.ts'

/** What a person sees who opens a page and is not logged in. */
export async function sendsPeopleToSignIn (t: Test, { ask, ada }: World): Promise<void> {
  const page = [['Sec-Fetch-Dest', 'document'], ['Sec-Fetch-Mode', 'navigate']] as const

  await t.test('sends a person to sign in, with where they came from', async t => {
    const { status, headers, reached } = await ask('GET /node/orders?page=2&sort=name', { headers: page })
    t.match({ status, reached }, { status: 302, reached: false })
    const { pathname, search } = new URL(headers.location?.[0] ?? '', 'https://app.example.com')
    t.equal(pathname, '/sign-in')
    t.equal(decodeURIComponent(search), '?to=/node/orders?page=2&sort=name')
    t.match(await ask('GET /node/orders', { headers: [...page, bearer(ada.accessToken)] }), { status: 200 })
  })

  await t.test('tells a script 401', async t => {
    t.match(await ask('GET /node/orders', { headers: [['Sec-Fetch-Dest', 'empty']] }), { status: 401, headers: { 'www-authenticate': ['Bearer'] } })
  })

  await t.test('asks nobody who comes to sign in, and tells the page of nobody', async t => {
    const { status, seen } = await ask('GET /sign-in?to=/node/orders', { headers: [...page, ['X-Auth-Role', 'admin'], ['X_Auth_Role', 'admin']] })
    t.equal(status, 200)
    t.notOk(Object.entries(seen?.headers ?? {}).some(([name, value]) => name.startsWith('HTTP_X_AUTH') && value !== ''))
  })
}
