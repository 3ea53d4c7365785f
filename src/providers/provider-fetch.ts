import type { CustomFetch } from 'openid-client'
import { Problem } from '../errors.ts'
import { createReachable } from './reachable.ts'

/** How long a provider has for one answer, in seconds. */
export const PROVIDER_TIMEOUT = 5

/** Bytes of an answer: the largest that any provider has a use for is a fraction of this. */
export const MAX_ANSWER_BYTES = 256 * 1024

const WITHOUT_BODY = [101, 204, 205, 304]

/**
 * The one way out to a provider: within its time, to where it may be, following no redirect, and taking no more than a
 * bounded answer. A provider that cannot be reached, or says itself that it is in trouble, is `provider_unavailable`.
 *
 * @param configured the URLs of the provider's configuration
 */
export function createProviderFetch (configured: readonly string[]): CustomFetch {
  const isReachable = createReachable(configured)
  return async (address, options) => {
    const url = new URL(address)
    if (!isReachable(url)) throw failure('provider_error', `${url.origin} may not be asked in this provider's name`)
    const response = await fetch(url, { ...options as RequestInit, redirect: 'manual', signal: AbortSignal.timeout(PROVIDER_TIMEOUT * 1000) }).catch(unreachable)
    if (response.status >= 500 || response.status === 429) {
      await response.body?.cancel()
      throw failure('provider_unavailable', `${url.origin}${url.pathname} answered ${response.status}`)
    }
    if (response.body === null || WITHOUT_BODY.includes(response.status)) return response
    const { status, headers } = response
    return new Response(await readBounded(response.body, url), { status, headers })
  }
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
