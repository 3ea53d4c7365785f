// The session of a mobile app: tokens in the body, the access token in memory, the refresh token in the keychain.
//
// A phone can be suspended, lose its network or be switched off at any moment. So each refresh request is stored before it is
// sent: if its response is lost, the same request gets the same successor.

/** Where the session is stored between starts: the keychain, or another place that no other app can read. */
export interface Keychain {
  read (): Promise<string | null>
  write (text: string): Promise<void>
  clear (): Promise<void>
}

export interface SessionOptions {
  /** For example `https://auth.example.com`. */
  origin: string
  keychain: Keychain
  /** Called when the session has ended, on any device: show the login page. */
  onEnded: () => void
}

interface Kept {
  refreshToken: string
  /** 128 random bits or more, new for each refresh. */
  attempt: string
}

interface Tokens {
  accessToken: string
  refreshToken: string
  expiresIn: number
}

/** There is no session, or it has ended. */
export class LoggedOut extends Error {
  override readonly name = 'LoggedOut'
}

/** The service refused the request; `code` tells why. */
export class Refused extends Error {
  override readonly name = 'Refused'

  constructor (readonly code: string, title: string) {
    super(title)
  }

  static async from (answer: Response): Promise<Refused> {
    const { code, title } = await answer.json() as { code: string, title: string }
    return new Refused(code, title)
  }
}

const LONGEST_WAIT = 30_000
const ATTEMPTS = 6

export function createSession ({ origin, keychain, onEnded }: SessionOptions) {
  let access: { token: string, goodUntil: number } | undefined
  let refreshing: Promise<string> | undefined

  async function keep ({ accessToken, refreshToken, expiresIn }: Tokens): Promise<string> {
    await keychain.write(JSON.stringify({ refreshToken, attempt: crypto.randomUUID() + crypto.randomUUID() } satisfies Kept))
    // A little early, so that the token does not expire during a request.
    access = { token: accessToken, goodUntil: performance.now() + (expiresIn - 10) * 1000 }
    return accessToken
  }

  async function refresh (): Promise<string> {
    const { refreshToken, attempt } = await read()
    const answer = await patiently(() => post('/auth/refresh', { refreshToken }, { 'idempotency-key': attempt }))
    if (answer.ok) return await keep(await answer.json() as Tokens)
    if (answer.status !== 401) throw new Error(`Refreshing was answered ${answer.status}`)
    await forget()
    onEnded()
    throw new LoggedOut()
  }

  // Concurrent requests with an expired token share one refresh.
  function refreshOnce (): Promise<string> {
    refreshing ??= refresh().finally(() => { refreshing = undefined })
    return refreshing
  }

  // Requests during a change of the password wait for the new tokens.
  async function changePassword (currentPassword: string | undefined, newPassword: string): Promise<string> {
    const { refreshToken, attempt } = await read()
    const authorization = `Bearer ${access?.token ?? ''}`
    // A retry sends the same request: the response may have been lost after the password was changed.
    const answer = await patiently(() => post('/auth/password', { currentPassword, newPassword, refreshToken }, { authorization, 'idempotency-key': attempt }))
    if (!answer.ok) throw await Refused.from(answer)
    return await keep(await answer.json() as Tokens)
  }

  async function read (): Promise<Kept> {
    const text = await keychain.read()
    if (text === null) throw new LoggedOut()
    return JSON.parse(text) as Kept
  }

  /** Waits for pending changes of the session's tokens. */
  async function settled (): Promise<void> {
    if (refreshing === undefined) return
    await refreshing
    await settled()
  }

  async function currentToken (): Promise<string> {
    return access !== undefined && performance.now() < access.goodUntil ? access.token : await refreshOnce()
  }

  async function forget (): Promise<void> {
    access = undefined
    await keychain.clear()
  }

  function post (path: string, body: object, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(origin + path, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) })
  }

  return {
    async logIn (email: string, password: string): Promise<void> {
      const answer = await post('/auth/login', { email, password })
      if (!answer.ok) throw await Refused.from(answer)
      await keep(await answer.json() as Tokens)
    },

    /** Like `fetch`, with the session's access token. @throws LoggedOut */
    async fetch (url: string, init: RequestInit = {}): Promise<Response> {
      const send = (token: string) => {
        const headers = new Headers(init.headers)
        headers.set('authorization', `Bearer ${token}`)
        return fetch(url, { ...init, headers })
      }
      const answer = await send(await currentToken())
      // Revoked before it expired: the session has ended, or only the role has changed. A refresh tells which.
      return answer.status === 401 ? send(await refreshOnce()) : answer
    },

    /**
     * Like `fetch`, for what needs presence (unlinking, deleting the account, everything under `/admin`): the refresh
     * token goes along in the body, and is not used up. Where the login is older than five minutes, that is 401
     * `insufficient_user_authentication`: let the person log in again.
     */
    async fetchPresent (url: string, { method = 'POST', body = {} }: { method?: string, body?: object } = {}): Promise<Response> {
      await settled()
      const token = await currentToken()
      const { refreshToken } = await read()
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
      return await fetch(url, { method, headers, body: JSON.stringify({ ...body, refreshToken }) })
    },

    /** Sets a new password. All other sessions end, this one continues with new tokens. @throws Refused */
    async changePassword (currentPassword: string | undefined, newPassword: string): Promise<void> {
      await currentToken()
      await settled()
      const changing = changePassword(currentPassword, newPassword)
      refreshing = changing.catch(() => access?.token ?? '').finally(() => { refreshing = undefined })
      await changing
    },

    /** Ends the session, also with an expired access token. The phone deletes it even without a network. */
    async logOut (): Promise<void> {
      const text = await keychain.read()
      await forget()
      if (text !== null) await patiently(() => post('/auth/logout', { refreshToken: (JSON.parse(text) as Kept).refreshToken }))
    }
  }
}

/** Retries when the network or the service fails, with growing pauses, or after `Retry-After`. */
async function patiently (ask: () => Promise<Response>): Promise<Response> {
  for (let attempt = 1; ; attempt++) {
    const answer = await ask().catch((error: unknown) => {
      if (attempt === ATTEMPTS) throw error
    })
    if (answer !== undefined && (!isPassing(answer) || attempt === ATTEMPTS)) return answer
    const told = Number(answer?.headers.get('retry-after')) * 1000
    const wait = told || Math.random() * Math.min(LONGEST_WAIT, 500 * 2 ** attempt)
    await new Promise(resolve => setTimeout(resolve, wait))
  }
}

function isPassing ({ status }: Response): boolean {
  return status === 429 || status >= 500
}
