import { BlockList, isIPv4, isIPv6 } from 'node:net'
import { isLoopback } from '../config/parsers.ts'

// This machine, and networks that are not public.
const INTERNAL = new BlockList()
for (const [network, prefix] of [['0.0.0.0', 8], ['10.0.0.0', 8], ['100.64.0.0', 10], ['127.0.0.0', 8], ['169.254.0.0', 16], ['172.16.0.0', 12], ['192.0.0.0', 24], ['192.168.0.0', 16], ['198.18.0.0', 15], ['224.0.0.0', 3]] as const) INTERNAL.addSubnet(network, prefix, 'ipv4')
// The first four embed an IPv4 address: compatible (RFC 4291), translated (RFC 6052, RFC 8215) and 6to4 (RFC 3056).
for (const [network, prefix] of [['::', 96], ['64:ff9b::', 96], ['64:ff9b:1::', 48], ['2002::', 16], ['100::', 64], ['fc00::', 7], ['fe80::', 10], ['ff00::', 8]] as const) INTERNAL.addSubnet(network, prefix, 'ipv6')

/**
 * Protects against server-side request forgery (SSRF): a provider's metadata must not make the service send requests into
 * its own network. The configured origins may be anywhere. Any other URL must be https and public. If the provider itself
 * is on this machine, for tests, other URLs on this machine are allowed.
 *
 * It judges the URL, not what its host name resolves to.
 *
 * @param configured the URLs of the configuration
 * @returns whether a request to a URL is allowed
 */
export function createSsrfGuard (configured: readonly string[]): (url: URL) => boolean {
  const origins = configured.map(url => new URL(url).origin)
  const isLocal = configured.every(url => isLoopback(new URL(url)))
  return url => origins.includes(url.origin) || (isLocal ? isLoopback(url) : url.protocol === 'https:' && !isInternal(url))
}

function isInternal ({ hostname }: URL): boolean {
  const host = hostname.replace(/^\[|\]$|\.$/g, '')
  if (isIPv4(host)) return INTERNAL.check(host, 'ipv4')
  if (isIPv6(host)) return INTERNAL.check(host, 'ipv6')
  return host === 'localhost' || host.endsWith('.localhost')
}
