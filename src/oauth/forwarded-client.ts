import type { FastifyRequest } from 'fastify'
import { InvalidToken } from 'countersign-verifier'
import { Problem } from '../errors.ts'
import { setForwardedAddress, toAddress } from '../http/client-address.ts'
import type { Tokens } from '../tokens/compose.ts'

const CLIENT_HEADER = 'countersign-client'
const ADDRESS_HEADER = 'countersign-client-ip'

/** The scope of clients that may say for whom they make a request. */
const SCOPE = 'clients:forward'

/**
 * A front end that renders on a server makes requests for many people from one address. It is a registered client, sends its
 * access token in `Countersign-Client` and the address of its own client in `Countersign-Client-IP`: that address counts for
 * limits, sessions and the audit trail. The token is verified without a query.
 *
 * @param onRefused called for each refused token
 * @returns a function that reads both headers. It throws Problem 401 `invalid_client`, 400 `malformed_request`
 */
export function createReadForwardedClient (verifyClientToken: Tokens['verifyClientToken'], onRefused: (error: InvalidToken) => void) {
  function mayForward (token: string): boolean {
    try {
      return (verifyClientToken(token).scope ?? '').split(' ').includes(SCOPE)
    } catch (error) {
      if (!(error instanceof InvalidToken)) throw error
      onRefused(error)
      return false
    }
  }

  return function readForwardedClient (request: FastifyRequest): void {
    const { [CLIENT_HEADER]: token, [ADDRESS_HEADER]: text } = request.headers
    if (token === undefined && text === undefined) return
    if (typeof token !== 'string' || !mayForward(token)) throw new Problem('invalid_client', { detail: `Countersign-Client must be an access token of a client with the scope ${SCOPE}.` })
    const address = typeof text === 'string' ? toAddress(text) : undefined
    if (address === undefined) throw new Problem('malformed_request', { detail: 'Countersign-Client-IP must be an IP address.' })
    setForwardedAddress(request, address)
  }
}
