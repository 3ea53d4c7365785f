import type { Agent, IncomingMessage } from 'node:http'
import type { LookupFunction } from 'node:net'
import { httpRequest } from 'countersign-verifier/internal'
import type { CustomFetch, CustomFetchOptions } from 'openid-client'
import { Problem } from '../errors.ts'
import { AddressRefused, createGuardedAgents } from './guarded-agent.ts'
import type { AddressCheck, SsrfGuard } from './ssrf-guard.ts'

/** The timeout of one request to a provider, in seconds. */
export const PROVIDER_TIMEOUT = 5

/** The largest response that is read: several times what any provider sends. */
export const MAX_RESPONSE_BYTES = 256 * 1024

const BODILESS_STATUS = [204, 205, 304]

/**
 * Creates the fetch function for all requests to a provider: with a timeout, with the SSRF guard, without following
 * redirects, and with a limit on the size of the response. A network error, 429 or 5xx is `provider_unavailable`.
 *
 * Concurrent requests for the same public resource, such as metadata or keys, share one request.
 *
 * @param resolve how host names are resolved, by default as the system does
 */
export function createProviderFetch (guard: SsrfGuard, resolve?: LookupFunction): CustomFetch {
  const pending = new Map<string, Promise<Response>>()
  // Connections are shared only where the same addresses are allowed.
  const agents = new Map<AddressCheck, ReturnType<typeof createGuardedAgents>>()

  function agentFor ({ protocol }: URL, isAllowed: AddressCheck): Agent {
    const guarded = agents.get(isAllowed) ?? createGuardedAgents(isAllowed, resolve)
    agents.set(isAllowed, guarded)
    return protocol === 'https:' ? guarded.https : guarded.http
  }

  function sendOnce (url: string, options: CustomFetchOptions): Promise<Response> {
    const request = pending.get(url) ?? send(url, options).finally(() => pending.delete(url))
    pending.set(url, request)
    return request.then(response => response.clone())
  }

  async function send (address: string, { method, headers, body }: CustomFetchOptions): Promise<Response> {
    const url = new URL(address)
    const isAllowed = guard(url)
    if (isAllowed === undefined) throw failure('provider_error', `Request to ${url.origin} refused by the SSRF guard`)
    const response = await httpRequest(url, {
      method,
      headers: { ...headers, 'accept-encoding': 'identity' },
      body: toText(body),
      agent: agentFor(url, isAllowed),
      signal: AbortSignal.timeout(PROVIDER_TIMEOUT * 1000)
    }).catch(throwFailed)
    const { statusCode: status = 0 } = response
    if (status >= 500 || status === 429) {
      response.destroy()
      throw failure('provider_unavailable', `${url.origin}${url.pathname} answered ${status}`)
    }
    const content = await readBounded(response, url)
    return new Response(BODILESS_STATUS.includes(status) ? null : content, { status, headers: toHeaders(response) })
  }

  return (url, options) => isPublic(options) ? sendOnce(url, options) : send(url, options)
}

function isPublic ({ method, headers }: CustomFetchOptions): boolean {
  return method === 'GET' && !Object.keys(headers).some(name => name.toLowerCase() === 'authorization')
}

async function readBounded (response: IncomingMessage, { origin, pathname }: URL): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Buffer[] = []
  let length = 0
  try {
    for await (const part of response as AsyncIterable<Buffer>) {
      parts.push(part)
      length += part.length
      if (length > MAX_RESPONSE_BYTES) break
    }
  } catch (error) {
    throwFailed(error)
  }
  if (length > MAX_RESPONSE_BYTES) throw failure('provider_error', `${origin}${pathname} sent more than ${MAX_RESPONSE_BYTES} bytes`)
  return new Uint8Array(Buffer.concat(parts))
}

// The library sends forms, as URLSearchParams, and no other body.
function toText (body: CustomFetchOptions['body']): string | undefined {
  if (body === undefined || body === null) return undefined
  if (body instanceof URLSearchParams || typeof body === 'string') return body.toString()
  throw new TypeError('A request to a provider has a form or text for its body')
}

function toHeaders ({ headersDistinct }: IncomingMessage): Headers {
  return new Headers(Object.entries(headersDistinct).flatMap(([name, values = []]) => values.map((value): [string, string] => [name, value])))
}

function throwFailed (cause: unknown): never {
  throw new Problem(cause instanceof AddressRefused ? 'provider_error' : 'provider_unavailable', { cause })
}

function failure (code: 'provider_unavailable' | 'provider_error', message: string): Problem {
  return new Problem(code, { cause: new Error(message) })
}
