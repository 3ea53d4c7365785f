// The session of a mobile app: tokens in the body, the access token in memory, the refresh token in the keychain.
//
// A phone can be suspended, lose its network or be switched off at any moment. So each refresh request is stored before it is
// sent: if its response is lost, the same request gets the same successor. And a response can come late: after a logout, or
// after somebody else has logged in. It is applied to the session that asked, and to no other.
import { createService, Refused, type ServiceOptions, type Tokens } from './service.ts'

/** Where the session is stored between starts: the keychain, or another place that no other app can read. */
export interface Keychain {
  read (): Promise<string | null>
  write (text: string): Promise<void>
  clear (): Promise<void>
}

export interface SessionOptions extends ServiceOptions {
  keychain: Keychain
  /** Called when the session has ended, on any device: show the login page. */
  onEnded: () => void
  /** How old an access token must be, in milliseconds, before its refusal is a reason to refresh it. */
  pause?: number
}

/** What the keychain stores. */
interface Kept {
  refreshToken: string
  /** The Idempotency-Key of the next refresh: 128 random bits or more, new for each. */
  attempt: string
}

/** One login. Requests hold on to theirs: where `current` is another one by the time of the response, it comes too late. */
interface Session {
  access?: { token: string, since: number, goodUntil: number }
  /** The refresh that is under way. */
  refreshing?: Promise<string> | undefined
}

/** There is no session, or it has ended. */
export class LoggedOut extends Error {
  override readonly name = 'LoggedOut'
}

const ENDED = ['invalid_refresh_token', 'refresh_token_reused']

// A refusal, a refresh, and a service whose clock is behind: more does not help.
const SENDS = 3

export async function createSession ({ keychain, onEnded, pause = 5_000, ...options }: SessionOptions) {
  const { send, post, postForTokens, patiently } = createService(options)

  let current: Session | undefined = await keychain.read() === null ? undefined : {}
  /** The last login that was asked for. A logout takes it back. */
  let latest: Session | undefined
  let lastUse: Promise<unknown> = Promise.resolve()

  /** Uses the keychain after all earlier uses of it. */
  function inTurn<Result> (use: () => Promise<Result>): Promise<Result> {
    const result = lastUse.then(use, use)
    lastUse = result
    return result
  }

  async function read (session: Session): Promise<Kept> {
    const text = await inTurn(() => keychain.read())
    if (text === null || current !== session) throw new LoggedOut()
    return JSON.parse(text) as Kept
  }

  /** Empties the keychain, unless somebody has logged in meanwhile. @returns what was in it */
  function clear (): Promise<string | null> {
    return inTurn(async () => {
      const text = await keychain.read()
      if (current === undefined) await keychain.clear()
      return text
    })
  }

  /** Stores new tokens, then uses them; unless the session is not wanted any more. @returns the access token */
  async function keep (session: Session, { accessToken: token, refreshToken, expiresIn }: Tokens, isWanted: () => boolean): Promise<string> {
    const kept: Kept = { refreshToken, attempt: crypto.randomUUID() + crypto.randomUUID() }
    await inTurn(async () => {
      if (isWanted()) await keychain.write(JSON.stringify(kept))
      if (!isWanted()) return
      const since = performance.now()
      // For nine tenths of its life, so that the token does not expire during a request.
      session.access = { token, since, goodUntil: since + expiresIn * 900 }
      current = session
    })
    if (isWanted()) return token
    // Nobody has these tokens but this response.
    post('/auth/logout', { refreshToken }).catch(() => {})
    throw new LoggedOut()
  }

  function opened (): Session {
    if (current === undefined) throw new LoggedOut()
    return current
  }

  /** Asks for new tokens, by a request that may be repeated: under its key it is carried out once. @returns the access token */
  async function replaceTokens (session: Session, path: string, body: object = {}, headers: Record<string, string> = {}): Promise<string> {
    const { refreshToken, attempt } = await read(session)
    const tokens = await patiently(async () => {
      if (current !== session) throw new LoggedOut()
      return await postForTokens(path, { ...body, refreshToken }, { ...headers, 'idempotency-key': attempt })
    })
    return await keep(session, tokens, () => current === session)
  }

  async function refresh (session: Session): Promise<string> {
    try {
      return await replaceTokens(session, '/auth/refresh')
    } catch (error) {
      if (current !== session) throw new LoggedOut()
      if (!isEnd(error)) throw error
      current = undefined
      await clear()
      onEnded()
      throw new LoggedOut()
    }
  }

  /** Makes concurrent requests share one change of the tokens. */
  function share (session: Session, refreshing: Promise<string>): Promise<string> {
    session.refreshing = refreshing.finally(() => { session.refreshing = undefined })
    return session.refreshing
  }

  function refreshOnce (session: Session): Promise<string> {
    return session.refreshing ?? share(session, refresh(session))
  }

  async function currentToken (session: Session): Promise<string> {
    const { access } = session
    return access !== undefined && performance.now() < access.goodUntil ? access.token : await refreshOnce(session)
  }

  /** @returns the token to send after another one was refused */
  async function tokenAfter (session: Session, refused: string): Promise<string> {
    const { access, refreshing } = session
    // Refreshed since: the refusal only came late.
    if (access !== undefined && access.token !== refused) return access.token
    const age = performance.now() - (access?.since ?? 0)
    if (refreshing !== undefined || age >= pause) return await refreshOnce(session)
    // Where the clock of a service is behind, it refuses new tokens for a moment. Refreshing would only make newer ones.
    await new Promise(resolve => setTimeout(resolve, pause - age))
    return await currentToken(session)
  }

  /** Waits for pending changes of the session's tokens. */
  async function settled (session: Session): Promise<string> {
    while (session.refreshing !== undefined) await session.refreshing
    return await currentToken(session)
  }

  return {
    /** @throws Refused, Unanswered */
    async logIn (email: string, password: string): Promise<void> {
      const login: Session = latest = {}
      const tokens = await postForTokens('/auth/login', { email, password })
      await keep(login, tokens, () => latest === login)
    },

    /**
     * Like `fetch`, with the session's access token; a body has to be one that can be sent twice.
     *
     * @throws LoggedOut also where the response comes after a logout, or after another login
     */
    async fetch (url: string, init: RequestInit = {}): Promise<Response> {
      const session = opened()
      let token = await currentToken(session)
      for (let sent = 1; ; sent++) {
        const headers = new Headers(init.headers)
        headers.set('authorization', `Bearer ${token}`)
        const answer = await fetch(url, { signal: AbortSignal.timeout(30_000), ...init, headers })
        if (current !== session) throw new LoggedOut()
        if (!isTokenRefused(answer) || sent === SENDS) return answer
        // Revoked before it expired: the session has ended, or only the role has changed. A refresh tells which.
        token = await tokenAfter(session, token)
      }
    },

    /**
     * For what needs presence (unlinking, deleting the account, everything under `/admin`): the refresh token goes along in the
     * body, only to the service, and is not used up. Where the login is older than five minutes, that is 401
     * `insufficient_user_authentication`: let the person log in again.
     */
    async fetchPresent (path: string, { method = 'POST', body = {} }: { method?: string, body?: object } = {}): Promise<Response> {
      const session = opened()
      const authorization = `Bearer ${await settled(session)}`
      const { refreshToken } = await read(session)
      return await send(path, { ...body, refreshToken }, { authorization }, method)
    },

    /** Sets a new password. All other sessions end, this one continues with new tokens. @throws Refused, Unanswered */
    async changePassword (currentPassword: string | undefined, newPassword: string): Promise<void> {
      const session = opened()
      const token = await settled(session)
      const changing = replaceTokens(session, '/auth/password', { currentPassword, newPassword }, { authorization: `Bearer ${token}` })
      // Requests whose token is refused meanwhile wait for the new one; where the change fails, the old one goes on.
      void share(session, changing.catch(() => token))
      await changing
    },

    /** Ends the session, also with an expired access token. The phone deletes it even without a network. */
    async logOut (): Promise<void> {
      current = latest = undefined
      const text = await clear()
      if (text === null) return
      const { refreshToken } = JSON.parse(text) as Kept
      await patiently(() => post('/auth/logout', { refreshToken })).catch((error: unknown) => {
        // It had ended before.
        if (!(error instanceof Refused) || error.isPassing) throw error
      })
    }
  }
}

/** Whether the session has ended, and not only the request failed. */
function isEnd (error: unknown): boolean {
  return error instanceof LoggedOut || (error instanceof Refused && ENDED.includes(error.code))
}

/** Whether a service refused the access token: neither a proxy's 401, nor one that asks for a new login. */
function isTokenRefused ({ status, headers }: Response): boolean {
  const challenge = headers.get('www-authenticate') ?? ''
  return status === 401 && /\bBearer\b/i.test(challenge) && !challenge.includes('insufficient_user_authentication')
}
