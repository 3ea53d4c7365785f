import { BlockList, isIPv4, isIPv6 } from 'node:net'
import { isLoopback } from '../config/parsers.ts'

// Where nothing that a provider's metadata names may be: this machine, and networks that are not public.
const INTERNAL = new BlockList()
for (const [network, prefix] of [['0.0.0.0', 8], ['10.0.0.0', 8], ['100.64.0.0', 10], ['127.0.0.0', 8], ['169.254.0.0', 16], ['172.16.0.0', 12], ['192.0.0.0', 24], ['192.168.0.0', 16], ['198.18.0.0', 15], ['224.0.0.0', 3]] as const) INTERNAL.addSubnet(network, prefix, 'ipv4')
// The first four hold an IPv4 address within: compatible (RFC 4291), translated (RFC 6052, RFC 8215) and 6to4 (RFC 3056).
for (const [network, prefix] of [['::', 96], ['64:ff9b::', 96], ['64:ff9b:1::', 48], ['2002::', 16], ['100::', 64], ['fc00::', 7], ['fe80::', 10], ['ff00::', 8]] as const) INTERNAL.addSubnet(network, prefix, 'ipv6')

/**
 * Tells which addresses may be asked in a provider's name. What its operator configured may be anywhere; what its
 * metadata names besides must be https and public, for a provider must not have us ask for it within our own network.
 * A provider on this machine, for tests, may name anything on this machine.
 *
 * @param configured the URLs of the configuration
 */
export function createSsrfGuard (configured: readonly string[]): (url: URL) => boolean {
  const origins = configured.map(url => new URL(url).origin)
  const isOfThisMachine = configured.every(url => isLoopback(new URL(url)))
  return url => origins.includes(url.origin) || (isOfThisMachine ? isLoopback(url) : url.protocol === 'https:' && !isInternal(url))
}

function isInternal ({ hostname }: URL): boolean {
  const host = hostname.replace(/^\[|\]$|\.$/g, '')
  if (isIPv4(host)) return INTERNAL.check(host, 'ipv4')
  if (isIPv6(host)) return INTERNAL.check(host, 'ipv6')
  return host === 'localhost' || host.endsWith('.localhost')
}
