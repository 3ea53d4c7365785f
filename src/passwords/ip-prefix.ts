import { isIPv6 } from 'node:net'
import ipaddr from 'ipaddr.js'

/**
 * The network by which a client is counted: an IPv4 address by itself, an IPv6 address by its /64, since whoever has
 * one IPv6 address commonly has all 2^64 of its subnet. `::ffff:a.b.c.d` is the IPv4 address it carries (RFC 4291
 * §2.5.5.2), however it is spelled. What is no IP address (a Unix socket's peer) stands for itself.
 *
 * @param address the client's address, as the socket or a trusted proxy gave it
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
