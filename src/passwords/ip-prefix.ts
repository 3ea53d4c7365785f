import { isIPv6 } from 'node:net'

const BYTE = 256

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
  const groups = groupsOf(address)
  if (isMappedIPv4(groups)) return groups.slice(6).flatMap(group => [Math.floor(group / BYTE), group % BYTE]).join('.')
  return `${groups.slice(0, 4).map(group => group.toString(16)).join(':')}::/64`
}

function groupsOf (address: string): number[] {
  const [unscoped = ''] = address.split('%')
  const [head = '', tail = ''] = unscoped.split('::')
  const first = parseGroups(head)
  const last = parseGroups(tail)
  return [...first, ...Array<number>(8 - first.length - last.length).fill(0), ...last]
}

function parseGroups (text: string): number[] {
  if (text === '') return []
  return text.split(':').flatMap(group => group.includes('.') ? parseIPv4(group) : [parseInt(group, 16)])
}

function parseIPv4 (text: string): number[] {
  const [a = 0, b = 0, c = 0, d = 0] = text.split('.').map(Number)
  return [a * BYTE + b, c * BYTE + d]
}

function isMappedIPv4 (groups: number[]): boolean {
  return groups[5] === 0xffff && groups.slice(0, 5).every(group => group === 0)
}
