import type { Test } from 'tap'
import { bearer, cookie } from './credentials.ts'
import type { World } from './world.ts'

/** What a gateway does with the Cookie header: takes Countersign's own out, or all of it. */
export type CookieHandling = 'takes ours out' | 'drops all'

// Of a service's own, two of them with names that end or begin as ours do.
const FOREIGN = ['theme=dark', 'session=flask', 'refresh=mine', 'my__Host-access=x', '__Host-accessible=y']
const OURS = ['access', 'refresh', 'session', 'device', 'trusted', 'second-factor', 'notice', 'flow-4b1d'].map(name => `__Host-${name}`)

/** What the services behind get to see of credentials: nothing. */
export async function keepsSecrets (t: Test, { ask, ada, countersign, services }: World, handling: CookieHandling): Promise<void> {
  const cookies = await countersign.cookiesOf(ada)
  const kept = handling === 'drops all' ? [] : FOREIGN

  async function seenCookies (...lines: (readonly string[])[]): Promise<string[][]> {
    const seen: string[][] = []
    for (const kind of services.kinds) {
      const { status, seen: { headers = {} } = {} } = await ask(`GET ${kind}orders`, { headers: lines.map(line => cookie({}, ...line)) })
      if (status !== 200) throw new Error(`${kind} was answered ${status}`)
      seen.push((headers.HTTP_COOKIE ?? '').split(/[;,]/).map(pair => pair.trim()).filter(pair => pair !== ''))
    }
    return seen
  }

  await t.test('hands no service a token', async t => {
    for (const kind of services.kinds) {
      const { seen } = await ask(`GET ${kind}orders`, { headers: [bearer(ada.accessToken)] })
      t.equal(seen?.headers.HTTP_AUTHORIZATION ?? '', '', kind)
    }
  })

  await t.test('hands no service a cookie of Countersign, and takes no other away', async t => {
    const credentials = Object.entries(cookies).map(pair => pair.join('='))
    // Not the session cookie, which is a credential of its own.
    const others = OURS.filter(name => !(name in cookies) && name !== '__Host-session').map(name => `${name}=secret`)
    const expected = services.kinds.map(() => kept)
    t.strictSame(await seenCookies([...credentials, ...FOREIGN]), expected)
    t.strictSame(await seenCookies([...FOREIGN, ...credentials, ...others]), expected)
    t.strictSame(await seenCookies([...credentials, ...FOREIGN.flatMap((pair, index) => [pair, `__Host-device=${index}`, '__Secure-access=old'])]), expected, 'as often as it comes')
    // Not in HTTP/1.1 (RFC 6265 §5.4), and Envoy's ext_authz asks with commas between them, which is 401.
    if (handling === 'takes ours out') t.strictSame(await seenCookies(FOREIGN, credentials), expected, 'in a header of its own')
  })

  await t.test('does not hide from Countersign that a cookie came twice', async t => {
    const pair = `__Host-access=${cookies['__Host-access']}`
    t.match(await ask('GET /node/orders', { headers: [cookie({}, pair, 'a=b', pair)] }), { status: 401, reached: false })
  })
}
