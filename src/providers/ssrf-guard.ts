import { isIP } from 'node:net'
import { isLoopback } from '../config/parsers.ts'
import { isLoopbackAddress, isPublicAddress } from './public-address.ts'

/** Whether a connection to an IP address is allowed. */
export type AddressCheck = (address: string) => boolean

/** @returns the check of every address that a request to the URL may connect to; `undefined` if the request is refused */
export type SsrfGuard = (url: URL) => AddressCheck | undefined

const anyAddress: AddressCheck = () => true

/**
 * Protects against server-side request forgery (SSRF): a provider's metadata must not make the service send requests into
 * its own network. The configured origins may be anywhere. Any other URL must be https and public, by its host name and by
 * every address of that name. If the provider itself is on this machine, for tests, other URLs on this machine are allowed.
 *
 * @param configured the URLs of the configuration
 */
export function createSsrfGuard (configured: readonly string[]): SsrfGuard {
  const origins = configured.map(url => new URL(url).origin)
  const isLocal = configured.every(url => isLoopback(new URL(url)))

  return url => {
    if (origins.includes(url.origin)) return anyAddress
    if (isLocal) return isLoopback(url) ? isLoopbackAddress : undefined
    return url.protocol === 'https:' && !isInternal(url) ? isPublicAddress : undefined
  }
}

// `URL` has normalised an address that was written in decimal, octal or hexadecimal numbers.
function isInternal ({ hostname }: URL): boolean {
  const host = hostname.replace(/^\[|\]$|\.+$/g, '')
  return isIP(host) === 0 ? host === 'localhost' || host.endsWith('.localhost') : !isPublicAddress(host)
}
