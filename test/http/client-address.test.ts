import type { IncomingMessage } from 'node:http'
import { isIP, type Socket } from 'node:net'
import fc from 'fast-check'
import t from 'tap'
import { clientAddress, networkOf } from '../../src/http/client-address.ts'
import { startService } from '../support/service.ts'

const ALIKE = [
  ['192.0.2.7', '::ffff:192.0.2.7', '::FFFF:192.0.2.7', '::ffff:c000:207', '0:0:0:0:0:ffff:c000:0207', '::ffff:192.0.2.7%eth0'],
  ['2001:db8:0:1::1', '2001:db8:0:1::2', '2001:DB8:0:1:ffff:ffff:ffff:ffff', '2001:0db8::1:0:0:192.0.2.7'],
  ['fe80::1', 'fe80::2%eth0', 'fe80:0::'],
  ['::', '::1', '0::1:2:3:4', '::192.0.2.7']
]

t.test('addresses of one network count as one', async t => {
  for (const addresses of ALIKE) t.equal(new Set(addresses.map(networkOf)).size, 1, addresses.join(' '))
})

t.test('addresses of different networks count apart', async t => {
  const apart = [...ALIKE.map(([first = '']) => first), '192.0.2.8', '2001:db8:0:2::1', '2001:db8:1:1::1', '::ffff:0:192.0.2.7']
  t.equal(new Set(apart.map(networkOf)).size, apart.length - 1, 'only ::ffff:0:0:0/96 shares the /64 of ::1')
})

t.test('each network has one spelling', async t => {
  t.equal(networkOf('::ffff:192.0.2.7'), '192.0.2.7')
  t.equal(networkOf('2001:0DB8:0000:0001::7'), '2001:db8:0:1::/64')
})

t.test('what is no IP address stands for itself', async t => {
  for (const text of ['', '/run/countersign.sock', '1.2.3', '::ffff:1.2.3', '2001:db8:::1', 'constructor']) {
    t.equal(networkOf(text), text)
  }
})

t.test('the upper half of an IPv6 address decides, and nothing else', async t => {
  const half = fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 4, maxLength: 4 })
  const spell = (groups: number[]) => groups.map(group => group.toString(16)).join(':')
  const compress = (address: string) => new URL(`http://[${address}]`).hostname.slice(1, -1)
  t.doesNotThrow(() => fc.assert(fc.property(half.filter(groups => groups.some(group => group > 0)), half, half, (network, one, other) => {
    const full = spell([...network, ...one])
    const brief = compress(spell([...network, ...other]))
    return networkOf(full) === networkOf(brief) && networkOf(full) === `${spell(network)}::/64`
  })))
})

t.test('any text has a network', async t => {
  t.doesNotThrow(() => fc.assert(fc.property(fc.oneof(fc.string(), fc.ipV4(), fc.ipV6()), text => !networkOf(text).includes('NaN'))))
})

const addressOf = (ip: string | undefined, peer?: string) => clientAddress({ ip: ip as string, raw: { socket: { remoteAddress: peer } as Socket } as IncomingMessage })

t.test('the address of a client has neither port nor zone, and one spelling for IPv4', async t => {
  for (const [ip, address] of [
    ['192.0.2.7', '192.0.2.7'], ['192.0.2.7:1234', '192.0.2.7'], ['::ffff:192.0.2.7', '192.0.2.7'], ['::ffff:c000:207', '192.0.2.7'], ['[::ffff:192.0.2.7]:80', '192.0.2.7'],
    ['2001:db8::1', '2001:db8::1'], ['[2001:db8::1]', '2001:db8::1'], ['[2001:db8::1]:65535', '2001:db8::1'], ['fe80::1%eth0', 'fe80::1'], ['[fe80::1%eth0]:80', 'fe80::1']
  ] as const) t.equal(addressOf(ip, '198.51.100.1'), address, ip)
})

t.test('what is no address gives way to the peer of the socket', async t => {
  for (const ip of [undefined, '', 'garbage', 'unknown', '_hidden', '1.2.3', '1.2.3.4.5', '192.0.2.7:', '192.0.2.7:123456', '192.0.2.7 ', '[192.0.2.7', '2001:db8::1]:80', '1'.repeat(6000), `fe80::1%${'a'.repeat(6000)}`, '192.0.2.7\u0000']) {
    t.equal(addressOf(ip, '::ffff:198.51.100.1'), '198.51.100.1', ip?.slice(0, 40) ?? 'none')
  }
  t.equal(addressOf('garbage'), null, 'and there is none where that has none')
  t.equal(networkOf(null), 'local')
})

t.test('any text is an address of at most 45 characters, or none', async t => {
  t.doesNotThrow(() => fc.assert(fc.property(fc.oneof(fc.string(), fc.ipV4(), fc.ipV6(), fc.ipV6().map(ip => `[${ip}]:80`)), text => {
    const address = addressOf(text)
    return address === null || (isIP(address) > 0 && address.length <= 45)
  })))
})

t.test('what a trusted proxy forwards is kept as an address, or not at all', async t => {
  const service = await startService(t, { TRUST_PROXY: 'true' })
  const person = await service.person()
  const kept = async (forwarded: string) => {
    const { refreshToken } = await service.logIn(person, { headers: { 'x-forwarded-for': forwarded }, from: '198.51.100.7' })
    const [session] = await service.sql<{ ip: string }>('SELECT ip FROM sessions WHERE id = $1::uuid', refreshToken.split('.')[0])
    const [event] = await service.sql<{ ip: string }>("SELECT ip FROM audit_events WHERE session_id = $1::uuid AND action = 'login'", refreshToken.split('.')[0])
    return [session?.ip, event?.ip]
  }
  t.strictSame(await kept('192.0.2.9'), ['192.0.2.9', '192.0.2.9'])
  t.strictSame(await kept('192.0.2.9:4711'), ['192.0.2.9', '192.0.2.9'])
  t.strictSame(await kept('[2001:db8::9]:4711'), ['2001:db8::9', '2001:db8::9'])
  for (const garbage of ['garbage', 'x'.repeat(6000), "'; DROP TABLE users"]) t.strictSame(await kept(garbage), ['198.51.100.7', '198.51.100.7'], garbage.slice(0, 20))
  t.notOk(service.logText().includes('xxxxxxxxxx'), 'the log does not repeat it either')
})
