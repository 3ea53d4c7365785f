import { isIPv6 } from 'node:net'
import ipaddr from 'ipaddr.js'

/**
 * The network that a client is counted under: the address itself for IPv4, the /64 for IPv6, because a host commonly has all
 * 2^64 addresses of its subnet. `::ffff:a.b.c.d`, in any spelling, counts as the IPv4 address in it (RFC 4291 §2.5.5.2). What
 * is no IP address (the peer of a Unix socket) is returned as it is.
 *
 * @param address the client's address, from the socket or a trusted proxy
 * @returns one spelling for each network: `192.0.2.7`, `2001:db8:0:1::/64`
 */
export function ipPrefix (address: string): string {
  if (!isIPv6(address)) return address
  const parsed = ipaddr.IPv6.parse(inHexadecimal(address))
  if (parsed.isIPv4MappedAddress()) return parsed.toIPv4Address().toString()
  return `${parsed.parts.slice(0, 4).map(group => group.toString(16)).join(':')}::/64`
}

/** An IPv6 address without its zone, and without dotted decimals: ipaddr.js takes `::a.b.c.d` for `::ffff:a.b.c.d`. */
function inHexadecimal (address: string): string {
  const [unscoped = ''] = address.split('%')
  return new URL(`http://[${unscoped}]`).hostname.slice(1, -1)
}
