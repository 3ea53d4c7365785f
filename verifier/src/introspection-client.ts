import { boundedRequest } from './net/bounded-request.ts'
import { keepConnections } from './net/http-request.ts'

const TIMEOUT = 2_000
const MAX_BYTES = 65_536
// Milliseconds that a positive response is cached, so that a burst of requests with one token asks once. Also the pause
// after a failure: if every request waited for its own timeout, all would be slow.
const CACHE_LIFETIME = 1_000
const MAX_CACHED = 10_000

export interface IntrospectionClientDeps {
  readonly url: URL
  /** @returns the value of the Authorization header */
  readonly authorize: () => Promise<string>
  readonly onRequest: () => void
  readonly onSuccess: () => void
  readonly onFailure: (cause: Error) => void
  /** Monotonic milliseconds. */
  readonly now?: () => number
}

/** Asks the service whether tokens are active (RFC 7662). */
export function createIntrospectionClient ({ url, authorize, onRequest, onSuccess, onFailure, now = () => performance.now() }: IntrospectionClientDeps) {
  const closing = new AbortController()
  const agent = keepConnections(url)
  const activeUntil = new Map<string, number>()
  const pending = new Map<string, Promise<boolean>>()
  let pausedUntil = -Infinity

  async function request (token: string): Promise<boolean> {
    const body = new URLSearchParams({ token, token_type_hint: 'access_token' }).toString()
    const headers = { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded', authorization: await authorize() }
    const response = await boundedRequest(url, { method: 'POST', headers, body, agent, timeout: TIMEOUT, maxBytes: MAX_BYTES, signal: closing.signal })
    if (response.status !== 200) throw new Error(`Unexpected introspection response status ${response.status}`)
    return readActive(response.body)
  }

  function cache (token: string): void {
    if (activeUntil.size >= MAX_CACHED) activeUntil.clear()
    activeUntil.set(token, now() + CACHE_LIFETIME)
  }

  async function introspect (token: string): Promise<boolean> {
    onRequest()
    try {
      const active = await request(token)
      if (active) cache(token)
      onSuccess()
      return active
    } catch (error) {
      pausedUntil = now() + CACHE_LIFETIME
      if (!closing.signal.aborted) onFailure(error as Error)
      throw error
    } finally {
      pending.delete(token)
    }
  }

  return {
    /** @throws Error if the service does not answer */
    async isActive (token: string): Promise<boolean> {
      const until = activeUntil.get(token)
      if (until !== undefined && now() < until) return true
      activeUntil.delete(token)
      if (now() < pausedUntil) throw new Error('Introspection failed a moment ago')
      const active = pending.get(token) ?? introspect(token)
      pending.set(token, active)
      return active
    },
    close (): void {
      closing.abort()
      agent.destroy()
    }
  }
}

function readActive (body: string): boolean {
  const response = JSON.parse(body) as { active?: unknown } | null
  if (typeof response?.active !== 'boolean') throw new Error('The introspection response has no boolean "active"')
  return response.active
}
