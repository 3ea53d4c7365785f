// Requests to Countersign over networks that may do anything. Something on the way may answer in its place (a hotel's login page,
// a proxy with an error of its own), or nobody does. Only JSON of the expected form is an answer.

/** What a login brings, a refresh, and a change of the password. */
export interface Tokens {
  accessToken: string
  refreshToken: string
  /** The access token's life in seconds. */
  expiresIn: number
}

interface Problem {
  code: string
  title: string
}

/** A request without success. */
export abstract class Failure extends Error {
  /** Whether the same request may succeed later. */
  abstract readonly isPassing: boolean
  /** What `Retry-After` asks for, in milliseconds; 0 without one. */
  readonly retryAfter: number

  constructor (message: string, { answer, cause }: { answer?: Response, cause?: unknown }) {
    super(message, { cause })
    // A date is as good as none: the phone's clock may be wrong.
    this.retryAfter = Number(answer?.headers.get('retry-after')) * 1000 || 0
  }
}

/** The service refused the request; `code` tells why. */
export class Refused extends Failure {
  override readonly name = 'Refused'
  readonly isPassing: boolean
  readonly code: string

  constructor ({ code, title }: Problem, answer: Response) {
    super(title, { answer })
    this.code = code
    this.isPassing = answer.status === 429 || answer.status >= 500
  }
}

/** No answer of the service: nobody knows whether it did what was asked. */
export class Unanswered extends Failure {
  override readonly name = 'Unanswered'
  readonly isPassing = true
}

export interface ServiceOptions {
  /** For example `https://auth.example.com`. */
  origin: string
  /** How long an answer may take, in milliseconds. */
  timeout?: number
  /** How long to wait before a request is repeated, in milliseconds, whatever `Retry-After` says. */
  longestWait?: number
}

// Together less than the 30 s in which a refresh may be repeated even without its Idempotency-Key.
export const TIMEOUT = 8_000
export const LONGEST_WAIT = 20_000
const ATTEMPTS = 6

export function createService ({ origin, timeout = TIMEOUT, longestWait = LONGEST_WAIT }: ServiceOptions) {
  function send (path: string, body: object, headers: Record<string, string> = {}, method = 'POST'): Promise<Response> {
    return fetch(origin + path, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
      // A redirect (307, 308) would take the refresh token elsewhere.
      redirect: 'error',
      signal: AbortSignal.timeout(timeout)
    })
  }

  /** @returns the JSON of the answer @throws Refused, Unanswered */
  async function post (...request: Parameters<typeof send>): Promise<unknown> {
    try {
      return await read(await send(...request))
    } catch (cause) {
      throw cause instanceof Failure ? cause : new Unanswered('No answer', { cause })
    }
  }

  return {
    send,
    post,

    /** @throws Refused, Unanswered */
    async postForTokens (...request: Parameters<typeof send>): Promise<Tokens> {
      const tokens = await post(...request)
      if (!isTokens(tokens)) throw new Unanswered('The answer has no tokens', {})
      return tokens
    },

    /** Repeats a request while it fails for the time being, after `Retry-After` or growing pauses. */
    async patiently<Result> (request: () => Promise<Result>): Promise<Result> {
      for (let attempt = 1; ; attempt++) {
        try {
          return await request()
        } catch (error) {
          if (!(error instanceof Failure && error.isPassing) || attempt === ATTEMPTS) throw error
          const wait = error.retryAfter > 0 ? error.retryAfter : Math.random() * 500 * 2 ** attempt
          await new Promise(resolve => setTimeout(resolve, Math.min(wait, longestWait)))
        }
      }
    }
  }
}

/** @returns the JSON of an answer; nothing of a 204 */
async function read (answer: Response): Promise<unknown> {
  if (answer.status === 204) return
  const type = answer.headers.get('content-type')?.split(';')[0]
  if (answer.ok && type === 'application/json') return await answer.json()
  const problem: unknown = type === 'application/problem+json' ? await answer.json() : undefined
  throw isProblem(problem) ? new Refused(problem, answer) : new Unanswered(`Not an answer of the service: ${answer.status} ${type}`, { answer })
}

function isTokens (json: unknown): json is Tokens {
  const { accessToken, refreshToken, expiresIn } = Object(json)
  return typeof accessToken === 'string' && typeof refreshToken === 'string' && expiresIn > 0
}

function isProblem (json: unknown): json is Problem {
  const { code, title } = Object(json)
  return typeof code === 'string' && typeof title === 'string'
}
