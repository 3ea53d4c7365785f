import { isIP, isIPv6 } from 'node:net'
import type { FastifyRequest } from 'fastify'
import ipaddr from 'ipaddr.js'

// The longest spelling of an IPv6 address with brackets, zone and port is shorter.
const MAX_LENGTH = 80
const WITH_PORT = /^(?:\[([^[\]]+)\]|([\d.]+))(?::\d{1,5})?$/

type WithAddress = Pick<FastifyRequest, 'ip' | 'raw'>

// By the raw request: what a trusted front end says of its own client.
const forwardedAddresses = new WeakMap<FastifyRequest['raw'], string>()

/** Sets the address of the client that a trusted front end makes this request for. */
export function setForwardedAddress ({ raw }: Pick<FastifyRequest, 'raw'>, address: string): void {
  forwardedAddresses.set(raw, address)
}

/** Whether `setForwardedAddress` has set one. */
export function hasForwardedAddress ({ raw }: Pick<FastifyRequest, 'raw'>): boolean {
  return forwardedAddresses.has(raw)
}

/**
 * The address of a request's client: the one place that reads it. `request.ip` is what a trusted proxy wrote into its header,
 * which may have a port, be no address at all, or be thousands of characters long. Then the peer of the socket counts.
 *
 * @returns an IPv4 or IPv6 address without port and zone; `::ffff:a.b.c.d` as `a.b.c.d`. `null` behind a Unix socket
 */
export function clientAddress ({ ip, raw }: WithAddress): string | null {
  // Typed as a string, but undefined for the peer of a Unix socket.
  return forwardedAddresses.get(raw) ?? toAddress(ip as string | undefined) ?? peerAddress({ raw })
}

/** The address of the peer of the socket: a proxy's, where there is one. */
export function peerAddress ({ raw }: Pick<WithAddress, 'raw'>): string | null {
  return toAddress(raw.socket.remoteAddress) ?? null
}

/** @returns the address that a text spells, `undefined` for anything else */
export function toAddress (text: string | undefined): string | undefined {
  if (text === undefined || text.length > MAX_LENGTH) return undefined
  const [, inBrackets, withPort] = WITH_PORT.exec(text) ?? []
  const [address = ''] = (inBrackets ?? withPort ?? text).split('%')
  if (isIP(address) === 0) return undefined
  if (!isIPv6(address)) return address
  const parsed = parseIPv6(address)
  return parsed.isIPv4MappedAddress() ? parsed.toIPv4Address().toString() : address
}

/**
 * The network that a client is counted under: the address itself for IPv4, the /64 for IPv6, because a host commonly has all
 * 2^64 addresses of its subnet. `::ffff:a.b.c.d`, in any spelling, counts as the IPv4 address in it (RFC 4291 §2.5.5.2).
 *
 * @param address as `clientAddress` returns it; what is no IP address stands for itself
 * @returns one spelling for each network: `192.0.2.7`, `2001:db8:0:1::/64`; `local` where there is no address
 */
export function networkOf (address: string | null): string {
  if (address === null) return 'local'
  if (!isIPv6(address)) return address
  const parsed = parseIPv6(address)
  if (parsed.isIPv4MappedAddress()) return parsed.toIPv4Address().toString()
  return `${parsed.parts.slice(0, 4).map(group => group.toString(16)).join(':')}::/64`
}

/** Without its zone, and without dotted decimals: ipaddr.js takes `::a.b.c.d` for `::ffff:a.b.c.d`. */
export function parseIPv6 (address: string): ipaddr.IPv6 {
  const [unscoped = ''] = address.split('%')
  return ipaddr.IPv6.parse(new URL(`http://[${unscoped}]`).hostname.slice(1, -1))
}
