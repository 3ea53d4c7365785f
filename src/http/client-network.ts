import { isIPv6 } from 'node:net'
import type { FastifyRequest } from 'fastify'
import ipaddr from 'ipaddr.js'
import { clientAddress, hasForwardedAddress, networkOf, parseIPv6, peerAddress } from './client-address.ts'

type ForwardedRequest = Pick<FastifyRequest, 'ip' | 'ips' | 'raw' | 'headers'>

/**
 * The network of a request's client, as `networkOf` spells it; `null` where it is not known: a proxy that is not trusted makes
 * the request, and all clients would be one.
 */
export function clientNetwork (request: ForwardedRequest): string | null {
  return isBehindUntrustedProxy(request) ? null : networkOf(clientAddress(request))
}

// No address, in any number of headers.
const NOTHING = /^[\s,]*$/

/**
 * Whether a proxy makes a request that `TRUST_PROXY` does not cover: a forwarded header comes from a private address or a Unix
 * socket, and is ignored. From a public one it is a client's own invention.
 */
export function isBehindUntrustedProxy ({ ips = [], raw, headers }: ForwardedRequest): boolean {
  const { 'x-forwarded-for': forwardedFor = '', forwarded } = headers
  if ((NOTHING.test(forwardedFor.toString()) && forwarded === undefined) || hasForwardedAddress({ raw })) return false
  // Beside the peer, what it has forwarded: only of one that is trusted. It may forward its own address.
  if (ips.length > 1) return false
  const peer = peerAddress({ raw })
  return peer === null || isPrivateAddress(peer)
}

// loopback, link-local, RFC 1918 and RFC 6598, unique local.
const PRIVATE_RANGES = ['loopback', 'linkLocal', 'private', 'carrierGradeNat', 'uniqueLocal']

/** @returns whether an address, as `clientAddress` returns it, is not of the public internet */
export function isPrivateAddress (address: string): boolean {
  return PRIVATE_RANGES.includes((isIPv6(address) ? parseIPv6(address) : ipaddr.parse(address)).range())
}
