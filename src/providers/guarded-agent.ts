import { lookup as systemLookup } from 'node:dns'
import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { type LookupFunction } from 'node:net'
import type { AddressCheck } from './ssrf-guard.ts'

// Milliseconds that an unused connection is kept.
const KEEP_ALIVE = 5_000

/** A host name has an address that must not be connected to. */
export class AddressRefused extends Error {
  override readonly name = 'AddressRefused'
}

/**
 * Checks addresses where a socket takes them from: the socket connects to those that were checked, and to no others, whatever
 * the name has resolved to before (DNS rebinding). One refused address refuses the name.
 *
 * @param resolve how names are resolved, by default as the system does
 */
export function createGuardedLookup (isAllowed: AddressCheck, resolve: LookupFunction = systemLookup): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, options, (error, addresses, family) => {
      if (error !== null) return callback(error, addresses, family)
      const found = typeof addresses === 'string' ? [addresses] : addresses.map(({ address }) => address)
      const refused = found.find(address => !isAllowed(address))
      if (refused !== undefined) return callback(new AddressRefused(`${hostname} resolves to ${refused}, which is not public`), [])
      callback(null, addresses, family)
    })
  }
}

/** Agents whose sockets connect to allowed addresses only. A socket looks up no address literal: check those of URLs before. */
export function createGuardedAgents (isAllowed: AddressCheck, resolve?: LookupFunction) {
  const options = { keepAlive: true, timeout: KEEP_ALIVE, lookup: createGuardedLookup(isAllowed, resolve) }
  return { http: new HttpAgent(options), https: new HttpsAgent(options) }
}
