import t from 'tap'
import { isLoopbackAddress, isPublicAddress } from '../../src/providers/public-address.ts'

t.test('addresses of the internet are public', async t => {
  for (const address of ['1.1.1.1', '8.8.8.8', '100.63.255.255', '100.128.0.1', '172.15.255.255', '172.32.0.1', '192.0.1.1', '198.17.255.255', '198.20.0.1', '223.255.255.255', '2606:4700::1111', '2a00:1450:4001::1', '2001:4860:4860::8888']) {
    t.ok(isPublicAddress(address), address)
  }
})

t.test('no special-purpose range is public, from its first address to its last', async t => {
  for (const range of [
    // https://www.iana.org/assignments/iana-ipv4-special-registry
    ['0.0.0.0', '0.255.255.255'], ['10.0.0.0', '10.255.255.255'], ['100.64.0.0', '100.127.255.255'], ['127.0.0.0', '127.255.255.255'],
    ['169.254.0.0', '169.254.255.255'], ['172.16.0.0', '172.31.255.255'], ['192.0.0.0', '192.0.0.255'], ['192.0.2.0', '192.0.2.255'],
    ['192.31.196.0', '192.31.196.255'], ['192.52.193.0', '192.52.193.255'], ['192.88.99.0', '192.88.99.255'], ['192.168.0.0', '192.168.255.255'],
    ['192.175.48.0', '192.175.48.255'], ['198.18.0.0', '198.19.255.255'], ['198.51.100.0', '198.51.100.255'], ['203.0.113.0', '203.0.113.255'],
    ['224.0.0.0', '239.255.255.255'], ['240.0.0.0', '255.255.255.255'],
    // https://www.iana.org/assignments/iana-ipv6-special-registry
    ['::', '::1'], ['::ffff:0:0', '::ffff:ffff:ffff'], ['64:ff9b:1::', '64:ff9b:1:ffff:ffff:ffff:ffff:ffff'], ['100::', '100::ffff:ffff:ffff:ffff'],
    ['100:0:0:1::', '100:0:0:1:ffff:ffff:ffff:ffff'], ['2001::', '2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff'], ['2001:db8::', '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff'],
    ['2002::', '2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff'], ['2620:4f:8000::', '2620:4f:8000:ffff:ffff:ffff:ffff:ffff'], ['3fff::', '3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff'],
    ['5f00::', '5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff'], ['fc00::', 'fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'], ['fe80::', 'febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
    // Site-local (RFC 3879) and multicast.
    ['fec0::', 'feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'], ['ff00::', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff']
  ]) for (const address of range) t.notOk(isPublicAddress(address), address)
})

t.test('no other address is public by an inside one within it', async t => {
  for (const address of [
    '::ffff:169.254.169.254', '::ffff:a9fe:a9fe', '0:0:0:0:0:ffff:7f00:1', '::127.0.0.1', '::a00:1',
    '64:ff9b::169.254.169.254', '64:ff9b::a9fe:a9fe', '64:ff9b::7f00:1', '64:ff9b::', '64:ff9b:0:0:0:0:10.0.0.1',
    '2002:7f00:1::', '2002:a9fe:a9fe::1', '2001:0:4136:e378:8000:63bf:80ff:fffe', '::ffff:0:127.0.0.1'
  ]) t.notOk(isPublicAddress(address), address)
})

t.test('the NAT64 form of a public address is public: a host with IPv6 only knows it by no other', async t => {
  for (const address of ['64:ff9b::8.8.8.8', '64:ff9b::808:808', '64:ff9b::101:101']) t.ok(isPublicAddress(address), address)
})

t.test('what is no address is not public', async t => {
  for (const address of ['', 'localhost', 'example.com', '8.8.8', '010.0.0.1', '0x7f.1', 'fe80::1%eth0', '2606:4700::1111%1', '[2606:4700::1111]']) t.notOk(isPublicAddress(address), address)
})

t.test('loopback addresses are those of this machine', async t => {
  for (const address of ['127.0.0.1', '127.255.255.254', '::1']) t.ok(isLoopbackAddress(address), address)
  for (const address of ['128.0.0.1', '0.0.0.0', '::', '::ffff:127.0.0.1', '127.example.com']) t.notOk(isLoopbackAddress(address), address)
})
