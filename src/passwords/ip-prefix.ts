import { isIPv6 } from 'node:net'

const BYTE = 256

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
