import { boundedRequest } from './net/bounded-request.ts'
import { keepConnections } from './net/http-request.ts'

const TIMEOUT = 2_000
const MOST_BYTES = 65_536
// How long an answer is good for, in milliseconds: a burst of requests with one token asks once. And how long nobody is
// asked again after there was no answer: who waits for each in turn keeps everyone waiting.
const REMEMBERED = 1_000
const MOST_REMEMBERED = 10_000

/** Whom to ask, and who is told. */
export interface IntrospectionClientDeps {
  readonly url: URL
  /** @returns the value of the Authorization header */
  readonly authorize: () => Promise<string>
  readonly onAsk: () => void
  readonly onAnswer: () => void
  readonly onFailure: (cause: Error) => void
  readonly now?: () => number
}

/** Asks the service about tokens (RFC 7662). */
export interface IntrospectionClient {
  /** @returns whether the token is active @throws Error where the service does not say */
  isActive (token: string): Promise<boolean>
  close (): void
}

/** The service has just failed to answer. */
class NoAnswer extends Error {}

export function createIntrospectionClient ({ url, authorize, onAsk, onAnswer, onFailure, now = () => performance.now() }: IntrospectionClientDeps): IntrospectionClient {
  const closing = new AbortController()
  const agent = keepConnections(url)
  const active = new Map<string, number>()
  const asking = new Map<string, Promise<boolean>>()
  let silentUntil = -Infinity

  async function askAbout (token: string): Promise<boolean> {
    const body = new URLSearchParams({ token, token_type_hint: 'access_token' }).toString()
    const headers = { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded', authorization: await authorize() }
    const answer = await boundedRequest(url, { method: 'POST', headers, body, agent, timeout: TIMEOUT, maxBytes: MOST_BYTES, signal: closing.signal })
    if (answer.status !== 200) throw new Error(`Introspection was answered ${answer.status}`)
    const isActive = readActive(answer.body)
    if (isActive) remember(token)
    return isActive
  }

  function remember (token: string): void {
    if (active.size >= MOST_REMEMBERED) active.clear()
    active.set(token, now() + REMEMBERED)
  }

  async function settle (token: string): Promise<boolean> {
    onAsk()
    try {
      const isActive = await askAbout(token)
      onAnswer()
      return isActive
    } catch (error) {
      silentUntil = now() + REMEMBERED
      if (!closing.signal.aborted) onFailure(error as Error)
      throw error
    } finally {
      asking.delete(token)
    }
  }

  return {
    async isActive (token) {
      const until = active.get(token)
      if (until !== undefined && now() < until) return true
      active.delete(token)
      if (now() < silentUntil) throw new NoAnswer('The service did not answer a moment ago')
      const answer = asking.get(token) ?? settle(token)
      asking.set(token, answer)
      return answer
    },
    close () {
      closing.abort()
      agent.destroy()
    }
  }
}

function readActive (body: string): boolean {
  const answer = JSON.parse(body) as { active?: unknown } | null
  if (typeof answer?.active !== 'boolean') throw new Error('Introspection was answered with something else')
  return answer.active
}
