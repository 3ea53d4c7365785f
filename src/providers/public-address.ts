import { BlockList, isIPv4, isIPv6 } from 'node:net'

// The IANA IPv4 Special-Purpose Address Registry (RFC 6890), those that are reachable from everywhere too, and multicast with
// the reserved rest. The last one is public, but within Azure it is the host of a virtual machine.
const SPECIAL_IPV4 = [
  '0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24', '192.0.2.0/24',
  '192.31.196.0/24', '192.52.193.0/24', '192.88.99.0/24', '192.168.0.0/16', '192.175.48.0/24', '198.18.0.0/15', '198.51.100.0/24',
  '203.0.113.0/24', '224.0.0.0/3', '168.63.129.16/32'
]

// Only 2000::/3 is global unicast (RFC 4291 §2.4): so loopback, link-local, unique local and multicast addresses, those that
// are mapped to, compatible with or translated to IPv4, and whatever is assigned later are not public. Of 2000::/3 the special
// ones (IANA IPv6 Special-Purpose Address Registry): protocol assignments with Teredo, ORCHID and benchmarking,
// documentation, 6to4 and AS112.
const GLOBAL_UNICAST_IPV6 = '2000::/3'
const SPECIAL_IPV6 = ['2001::/23', '2001:db8::/32', '2002::/16', '2620:4f:8000::/48', '3fff::/20']

// NAT64 (RFC 6052 §2.1): the address of an IPv4 host for those that have IPv6 only.
const NAT64 = '64:ff9b::/96'

const special = toBlockList(SPECIAL_IPV4, SPECIAL_IPV6)
const globalUnicast = toBlockList([], [GLOBAL_UNICAST_IPV6])
const nat64 = toBlockList([], [NAT64])

/**
 * @param address an IP address as a resolver or `URL` writes it, without brackets
 * @returns whether it is an ordinary address of the internet: in no special-purpose range, directly or by way of another
 */
export function isPublicAddress (address: string): boolean {
  if (isIPv4(address)) return !special.check(address, 'ipv4')
  // With a zone, it is of this link only.
  if (!isIPv6(address) || address.includes('%')) return false
  if (nat64.check(address, 'ipv6')) return isPublicAddress(embeddedIPv4(address))
  return globalUnicast.check(address, 'ipv6') && !special.check(address, 'ipv6')
}

/** @returns whether an address is of this machine */
export function isLoopbackAddress (address: string): boolean {
  return address === '::1' || (isIPv4(address) && address.startsWith('127.'))
}

function embeddedIPv4 (address: string): string {
  // `URL` writes the last 32 bits as two groups, whichever way they came.
  const groups = new URL(`http://[${address}]`).hostname.slice(1, -1).split(':')
  const [high = 0, low = 0] = groups.slice(-2).map(group => parseInt(group || '0', 16))
  return [high >> 8, high & 255, low >> 8, low & 255].join('.')
}

function toBlockList (ipv4: readonly string[], ipv6: readonly string[]): BlockList {
  const list = new BlockList()
  for (const [family, subnets] of [['ipv4', ipv4], ['ipv6', ipv6]] as const) {
    for (const subnet of subnets) {
      const [network = '', prefix] = subnet.split('/')
      list.addSubnet(network, Number(prefix), family)
    }
  }
  return list
}
