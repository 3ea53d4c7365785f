import { once } from 'node:events'
import { createServer, connect, type AddressInfo, type Server } from 'node:net'
import t, { type Test } from 'tap'
import { Problem } from '../../src/errors.ts'
import { createGuardedLookup } from '../../src/providers/guarded-agent.ts'
import { createProviderFetch } from '../../src/providers/provider-fetch.ts'
import { createSsrfGuard } from '../../src/providers/ssrf-guard.ts'
import { startDnsServer } from '../support/dns-server.ts'

/** Something inside that must not be connected to. */
async function startInside (t: Test, host = '127.0.0.1', port = 0): Promise<{ port: number, server: Server, connections: number }> {
  const inside = { port, server: createServer(socket => { inside.connections++; socket.destroy() }), connections: 0 }
  inside.server.listen(port, host)
  await once(inside.server, 'listening')
  inside.port = (inside.server.address() as AddressInfo).port
  t.teardown(() => inside.server.close())
  return inside
}

t.test('a request to a host whose name resolves to an inside address', async t => {
  const inside = await startInside(t)
  const dns = await startDnsServer(t, {
    'loopback.acme.example': ['127.0.0.1'],
    'loopback6.acme.example': ['::1'],
    'mapped.acme.example': ['::ffff:7f00:1'],
    'translated.acme.example': ['64:ff9b::7f00:1'],
    'network.acme.example': ['10.0.0.1'],
    'metadata.acme.example': ['169.254.169.254'],
    'unspecified.acme.example': ['0.0.0.0'],
    'benchmarking.acme.example': ['198.18.0.1'],
    'teredo.acme.example': ['2001:0:4136:e378:8000:63bf:80ff:fffe'],
    'one-of-two.acme.example': ['127.0.0.1', '8.8.8.8'],
    'login.acme.example': ['127.0.0.1']
  })
  const fetch = createProviderFetch(createSsrfGuard(['https://login.acme.example']), dns.lookup)
  const send = (url: string) => fetch(url, { method: 'POST', headers: { authorization: 'Basic secret' }, body: new URLSearchParams({ code: 'code' }), redirect: 'manual' })

  for (const name of ['loopback', 'loopback6', 'mapped', 'translated', 'network', 'metadata', 'unspecified', 'benchmarking', 'teredo', 'one-of-two']) {
    t.test(`${name} is refused, and nothing is sent`, async t => {
      const url = `https://${name}.acme.example:${inside.port}/token`
      const { code, cause } = await send(url).then(() => t.fail('was sent'), (error: unknown) => error) as Problem
      t.equal(code, 'provider_error')
      t.match(cause, { name: 'AddressRefused', message: new RegExp(`^${name}\\.acme\\.example resolves to .+, which is not public$`) })
    })
  }

  t.test('is refused by a name of this machine that the system knows', async t => {
    const bySystem = createProviderFetch(createSsrfGuard(['https://login.acme.example']))
    for (const url of [`https://localhost:${inside.port}/`, `https://127.0.0.1.nip.localhost:${inside.port}/`, `https://localhost.:${inside.port}/`]) {
      await t.rejects(bySystem(url, { method: 'GET', headers: {}, body: undefined, redirect: 'manual' }), { code: 'provider_error' }, url)
    }
  })

  t.test('is refused by an address in any notation, without a lookup', async t => {
    const before = dns.asked.length
    for (const host of ['2130706433', '0x7f000001', '0177.0.0.1', '127.1', '0x7f.1', '127.0.0.1.', '0', '[::1]', '[::ffff:127.0.0.1]', '[0:0:0:0:0:ffff:7f00:1]', '[64:ff9b::127.0.0.1]', '[2002:7f00:1::]']) {
      await t.rejects(send(`https://${host}:${inside.port}/token`), { code: 'provider_error' }, host)
    }
    t.equal(dns.asked.length, before)
  })

  t.test('is sent to the configured origin, wherever it is', async t => {
    await t.rejects(send(`https://login.acme.example:${inside.port}/token`), { code: 'provider_error' }, 'on its own port only')
    t.equal(inside.connections, 0)
    const own = createProviderFetch(createSsrfGuard([`https://login.acme.example:${inside.port}`]), dns.lookup)
    await t.rejects(own(`https://login.acme.example:${inside.port}/token`, { method: 'GET', headers: {}, body: undefined, redirect: 'manual' }), { code: 'provider_unavailable' })
    t.equal(inside.connections, 1)
  })
})

t.test('a name that changes between two lookups (DNS rebinding)', { skip: process.platform !== 'linux' && 'needs a second loopback address' }, async t => {
  // Addresses of this machine stand for a public and an inside one, so that both can be connected to.
  const outside = await startInside(t, '127.0.0.1')
  const inside = await startInside(t, '127.0.0.2', outside.port)
  const dns = await startDnsServer(t, { 'rebinding.example': [['127.0.0.1'], ['127.0.0.2']] })
  const checked: string[] = []
  const lookup = createGuardedLookup(address => {
    checked.push(address)
    return address === '127.0.0.1'
  }, dns.lookup)

  t.test('is connected to at the address that was checked', async t => {
    await once(connect({ host: 'rebinding.example', port: outside.port, lookup }), 'close')
    t.strictSame(checked, ['127.0.0.1'])
    t.strictSame([outside.connections, inside.connections], [1, 0])
  })

  t.test('is checked again for the next connection', async t => {
    await t.rejects(once(connect({ host: 'rebinding.example', port: outside.port, lookup }), 'connect'), { name: 'AddressRefused' })
    t.strictSame(checked, ['127.0.0.1', '127.0.0.2'])
    t.strictSame([outside.connections, inside.connections], [1, 0])
  })
})
