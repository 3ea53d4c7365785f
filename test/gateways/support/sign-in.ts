import type { Test } from 'tap'
import { bearer, cookie, forgeries } from './credentials.ts'
import { openUpgrade } from './request.ts'
import type { World } from './world.ts'

const page = [['Sec-Fetch-Dest', 'document'], ['Sec-Fetch-Mode', 'navigate']] as const

/** How a person who is not logged in comes to sign in: by a redirect, or by the page itself, in place of what they asked for. */
export type SignIn = 'by redirect' | 'in its place'

/** What a person sees who opens a page and is not logged in. */
export async function sendsPeopleToSignIn (t: Test, world: World, how: SignIn): Promise<void> {
  const { ask, ada } = world
  await t.test('has a person sign in who opens a page, and knows where they came from', async t => {
    const { status, headers, seen } = await ask('GET /node/orders?page=2&sort=name', { headers: page })
    if (how === 'by redirect') {
      t.strictSame([status, headers.location?.[0], seen], [302, '/sign-in?to=/node/orders?page=2&sort=name', undefined])
    } else {
      t.match({ status, url: decodeURIComponent(seen?.url ?? '') }, { status: 401, url: /^\/sign-in\?to=.*\/node\/orders\?page=2&sort=name$/ })
    }
    t.match(await ask('GET /node/orders', { headers: [...page, bearer(ada.accessToken)] }), { status: 200 })
  })

  await t.test('tells a script 401', async t => {
    t.match(await ask('GET /node/orders', { headers: [['Sec-Fetch-Dest', 'empty']] }), { status: 401, headers: { 'www-authenticate': ['Bearer'] } })
  })

  await leavesSignInOpen(t, world)
}

/** What is open to anybody is that page alone, and for reading. */
export async function leavesSignInOpen (t: Test, { ask, ada, countersign, places }: World): Promise<void> {
  await t.test('asks nobody who comes to sign in, and tells the page of nobody', async t => {
    t.notMatch((await ask('GET /node/orders/../../sign-in')).seen, { url: /orders/ }, 'nor by a detour')
    for (const headers of forgeries('admin')) {
      const { status, seen } = await ask('GET /sign-in?to=/node/orders', { headers: [...page, ...headers] })
      t.equal(status, 200)
      t.strictSame(Object.entries(seen?.headers ?? {}).filter(([name, value]) => name.startsWith('HTTP_X_AUTH') && value !== ''), [])
    }
  })

  await t.test('hands the page to sign in no credential, and opens no connection to it', async t => {
    const stale = [bearer('a.b.c'), cookie(await countersign.cookiesOf(ada))]
    for (const path of ['/sign-in', '/node/orders']) {
      const { seen } = await ask(`GET ${path}`, { headers: [...page, ...stale] })
      t.strictSame([seen?.headers.HTTP_AUTHORIZATION ?? '', seen?.headers.HTTP_COOKIE ?? ''], ['', ''], path)
    }
    for (const protocol of ['websocket', 'h2c', 'foo']) t.not((await openUpgrade(places.listen, '/sign-in', protocol)).status, 101, protocol)
  })
}
