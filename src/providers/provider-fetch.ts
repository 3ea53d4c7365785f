import type { CustomFetch, CustomFetchOptions } from 'openid-client'
import { Problem } from '../errors.ts'

/** How long a provider has for one answer, in seconds. */
export const PROVIDER_TIMEOUT = 5

/** Bytes of an answer: the largest that any provider has a use for is a fraction of this. */
export const MAX_ANSWER_BYTES = 256 * 1024

const WITHOUT_BODY = [101, 204, 205, 304]

/**
 * The one way out to a provider: within its time, to where it may be, following no redirect, and taking no more than a
 * bounded answer. A provider that cannot be reached, or says itself that it is in trouble, is `provider_unavailable`.
 *
 * What anybody may read, its metadata and its keys, is asked for once by however many need it at the moment.
 */
export function createProviderFetch (isReachable: (url: URL) => boolean): CustomFetch {
  const asked = new Map<string, Promise<Response>>()

  function askOnce (address: string, options: CustomFetchOptions): Promise<Response> {
    const asking = asked.get(address) ?? ask(address, options).finally(() => asked.delete(address))
    asked.set(address, asking)
    return asking.then(response => response.clone())
  }

  async function ask (address: string, options: CustomFetchOptions): Promise<Response> {
    const url = new URL(address)
    if (!isReachable(url)) throw failure('provider_error', `${url.origin} may not be asked in this provider's name`)
    const signal = AbortSignal.timeout(PROVIDER_TIMEOUT * 1000)
    const response = await fetch(url, { ...options as RequestInit, redirect: 'manual', signal }).catch(unreachable)
    if (response.status >= 500 || response.status === 429) {
      await response.body?.cancel()
      throw failure('provider_unavailable', `${url.origin}${url.pathname} answered ${response.status}`)
    }
    if (response.body === null || WITHOUT_BODY.includes(response.status)) return response
    const { status, headers } = response
    return new Response(await readBounded(response.body, url), { status, headers })
  }

  return (address, options) => isPublic(options) ? askOnce(address, options) : ask(address, options)
}

function isPublic ({ method, headers }: CustomFetchOptions): boolean {
  return method === 'GET' && !Object.keys(headers).some(name => name.toLowerCase() === 'authorization')
}

async function readBounded (body: ReadableStream<Uint8Array>, { origin, pathname }: URL): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = []
  let length = 0
  const reader = body.getReader()
  for (;;) {
    const { done, value } = await reader.read().catch(unreachable)
    if (done) return new Uint8Array(Buffer.concat(parts))
    length += value.length
    if (length > MAX_ANSWER_BYTES) {
      await reader.cancel()
      throw failure('provider_error', `${origin}${pathname} answered with more than ${MAX_ANSWER_BYTES} bytes`)
    }
    parts.push(value)
  }
}

function unreachable (cause: unknown): never {
  throw new Problem('provider_unavailable', { cause })
}

function failure (code: 'provider_unavailable' | 'provider_error', message: string): Problem {
  return new Problem(code, { cause: new Error(message) })
}
