import type { CustomFetch, CustomFetchOptions } from 'openid-client'
import { Problem } from '../errors.ts'

/** The timeout of one request to a provider, in seconds. */
export const PROVIDER_TIMEOUT = 5

/** The largest response that is read: several times what any provider sends. */
export const MAX_RESPONSE_BYTES = 256 * 1024

const BODILESS_STATUS = [101, 204, 205, 304]

/**
 * Creates the fetch function for all requests to a provider: with a timeout, with the SSRF guard, without following
 * redirects, and with a limit on the size of the response. A network error, 429 or 5xx is `provider_unavailable`.
 *
 * Concurrent requests for the same public resource, such as metadata or keys, share one request.
 *
 * @param isAllowed the SSRF guard
 */
export function createProviderFetch (isAllowed: (url: URL) => boolean): CustomFetch {
  const pending = new Map<string, Promise<Response>>()

  function sendOnce (url: string, options: CustomFetchOptions): Promise<Response> {
    const request = pending.get(url) ?? send(url, options).finally(() => pending.delete(url))
    pending.set(url, request)
    return request.then(response => response.clone())
  }

  async function send (address: string, options: CustomFetchOptions): Promise<Response> {
    const url = new URL(address)
    if (!isAllowed(url)) throw failure('provider_error', `Request to ${url.origin} refused by the SSRF guard`)
    const signal = AbortSignal.timeout(PROVIDER_TIMEOUT * 1000)
    const response = await fetch(url, { ...options as RequestInit, redirect: 'manual', signal }).catch(throwUnavailable)
    if (response.status >= 500 || response.status === 429) {
      await response.body?.cancel()
      throw failure('provider_unavailable', `${url.origin}${url.pathname} answered ${response.status}`)
    }
    if (response.body === null || BODILESS_STATUS.includes(response.status)) return response
    const { status, headers } = response
    return new Response(await readBounded(response.body, url), { status, headers })
  }

  return (url, options) => isPublic(options) ? sendOnce(url, options) : send(url, options)
}

function isPublic ({ method, headers }: CustomFetchOptions): boolean {
  return method === 'GET' && !Object.keys(headers).some(name => name.toLowerCase() === 'authorization')
}

async function readBounded (body: ReadableStream<Uint8Array>, { origin, pathname }: URL): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = []
  let length = 0
  const reader = body.getReader()
  for (;;) {
    const { done, value } = await reader.read().catch(throwUnavailable)
    if (done) return new Uint8Array(Buffer.concat(parts))
    length += value.length
    if (length > MAX_RESPONSE_BYTES) {
      await reader.cancel()
      throw failure('provider_error', `${origin}${pathname} sent more than ${MAX_RESPONSE_BYTES} bytes`)
    }
    parts.push(value)
  }
}

function throwUnavailable (cause: unknown): never {
  throw new Problem('provider_unavailable', { cause })
}

function failure (code: 'provider_unavailable' | 'provider_error', message: string): Problem {
  return new Problem(code, { cause: new Error(message) })
}
