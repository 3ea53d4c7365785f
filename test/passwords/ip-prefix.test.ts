import fc from 'fast-check'
import t from 'tap'
import { ipPrefix } from '../../src/passwords/ip-prefix.ts'

const ALIKE = [
  ['192.0.2.7', '::ffff:192.0.2.7', '::FFFF:192.0.2.7', '::ffff:c000:207', '0:0:0:0:0:ffff:c000:0207', '::ffff:192.0.2.7%eth0'],
  ['2001:db8:0:1::1', '2001:db8:0:1::2', '2001:DB8:0:1:ffff:ffff:ffff:ffff', '2001:0db8::1:0:0:192.0.2.7'],
  ['fe80::1', 'fe80::2%eth0', 'fe80:0::'],
  ['::', '::1', '0::1:2:3:4', '::192.0.2.7']
]

t.test('addresses of one network count as one', async t => {
  for (const addresses of ALIKE) t.equal(new Set(addresses.map(ipPrefix)).size, 1, addresses.join(' '))
})

t.test('addresses of different networks count apart', async t => {
  const apart = [...ALIKE.map(([first = '']) => first), '192.0.2.8', '2001:db8:0:2::1', '2001:db8:1:1::1', '::ffff:0:192.0.2.7']
  t.equal(new Set(apart.map(ipPrefix)).size, apart.length - 1, 'only ::ffff:0:0:0/96 shares the /64 of ::1')
})

t.test('each network has one spelling', async t => {
  t.equal(ipPrefix('::ffff:192.0.2.7'), '192.0.2.7')
  t.equal(ipPrefix('2001:0DB8:0000:0001::7'), '2001:db8:0:1::/64')
})

t.test('what is no IP address stands for itself', async t => {
  for (const text of ['', '/run/countersign.sock', '1.2.3', '::ffff:1.2.3', '2001:db8:::1', 'constructor']) {
    t.equal(ipPrefix(text), text)
  }
})

t.test('the upper half of an IPv6 address decides, and nothing else', async t => {
  const half = fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 4, maxLength: 4 })
  const spell = (groups: number[]) => groups.map(group => group.toString(16)).join(':')
  const compress = (address: string) => new URL(`http://[${address}]`).hostname.slice(1, -1)
  t.doesNotThrow(() => fc.assert(fc.property(half.filter(groups => groups.some(group => group > 0)), half, half, (network, one, other) => {
    const full = spell([...network, ...one])
    const brief = compress(spell([...network, ...other]))
    return ipPrefix(full) === ipPrefix(brief) && ipPrefix(full) === `${spell(network)}::/64`
  })))
})

t.test('any text has a network', async t => {
  t.doesNotThrow(() => fc.assert(fc.property(fc.oneof(fc.string(), fc.ipV4(), fc.ipV6()), text => !ipPrefix(text).includes('NaN'))))
})
