// The visitor's session. Its cookies are shared by all tabs, and no script can read them. So whatever replaces them holds a lock:
// the late answer to a refresh would otherwise overwrite the cookies of a login made meanwhile, or those that a logout cleared.
const { countersign } = document.documentElement.dataset

/** How long Countersign's answer may take, in milliseconds: no tab keeps the lock for longer. */
const TIMEOUT = 8_000

/** How long the cookies of a refresh are not refreshed again, in milliseconds. */
const PAUSE = 5_000

// A refusal, a refresh, and a service whose clock is behind: more does not help.
const SENDS = 3

const ENDED = ['invalid_refresh_token', 'refresh_token_reused']

/** The last refresh of this tab: which cookies came of it, and when. */
let refreshed = { key: undefined, at: 0 }
let refreshing

/** Countersign refused the request, or something else answered it, or nobody; `code` tells why, where Countersign did. */
export class Failure extends Error {
  constructor ({ title = 'Countersign could not be reached. Please try again.', code }, options) {
    super(title, options)
    this.code = code
  }
}

/** Nobody is logged in, or no longer. */
export class LoggedOut extends Error {}

/** Somebody has logged in or out since the request: its answer is for the visitor before. */
export class Superseded extends Error {}

/** @param how `login` or `register` @throws Failure */
export async function logIn (how, { email, password }) {
  await changeVisitor(`/auth/${how}`, { email, password, deliver: 'cookie' })
}

/** @throws Failure */
export async function logOut () {
  await changeVisitor('/auth/logout')
}

/** Calls a function when somebody has logged in or out in another tab. */
export function onChange (tell) {
  window.addEventListener('storage', ({ key }) => { if (key === 'visitor') tell() })
}

/** Like `fetch`, but refreshes an expired access cookie. @throws LoggedOut, Superseded, Failure */
export async function fetchAsUser (url) {
  const { visitor } = localStorage
  for (let sent = 1; ; sent++) {
    const key = currentKey()
    const answer = await fetch(url, { signal: AbortSignal.timeout(30_000) })
    if (localStorage.visitor !== visitor) throw new Superseded()
    if (!isTokenRefused(answer) || sent === SENDS) return answer
    await replaceCookies(key)
  }
}

/** @param key that of the cookies that were refused @throws LoggedOut, Failure */
async function replaceCookies (key) {
  const age = performance.now() - refreshed.at
  // Where the clock of a service is behind, it refuses new cookies for a moment. Refreshing would only make newer ones.
  if (key === currentKey() && key === refreshed.key && age < PAUSE) return new Promise(resolve => setTimeout(resolve, PAUSE - age))
  refreshing ??= alone(() => refresh(key)).finally(() => { refreshing = undefined })
  return refreshing
}

async function refresh (key) {
  // Another tab did it since.
  if (key !== currentKey()) return
  try {
    await post('/auth/refresh', undefined, { 'idempotency-key': key })
  } catch (error) {
    throw ENDED.includes(error.code) ? new LoggedOut() : error
  }
  refreshed = { key: replaceKey(), at: performance.now() }
}

async function changeVisitor (path, body) {
  await alone(async () => {
    await post(path, body)
    replaceKey()
    // Other tabs get an event.
    localStorage.visitor = crypto.randomUUID()
  })
}

/** Runs what replaces the cookies, alone in all tabs. */
function alone (change) {
  return navigator.locks.request('session', change)
}

/**
 * The Idempotency-Key of the next refresh, stored before it is sent: where its answer is lost, the next attempt is the same
 * request. It is replaced with the cookies, and so tells whether these were.
 */
function currentKey () {
  return localStorage.refreshKey ?? replaceKey()
}

function replaceKey () {
  localStorage.refreshKey = crypto.randomUUID() + crypto.randomUUID()
  return localStorage.refreshKey
}

/** @throws Failure unless Countersign did what was asked: a page with 200 is a proxy's, or that of a hotel */
async function post (path, body, headers) {
  try {
    const answer = await fetch(countersign + path, {
      method: 'POST',
      credentials: 'include',
      headers: { ...headers, ...body && { 'content-type': 'application/json' } },
      body: JSON.stringify(body),
      // A redirect (307, 308) would take the password elsewhere.
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT)
    })
    if (answer.status === 204) return
    const json = await answer.json()
    if (!answer.ok || json.user === undefined) throw new Failure(json)
  } catch (cause) {
    throw cause instanceof Failure ? cause : new Failure({}, { cause })
  }
}

/** Whether a service refused the access cookie: a proxy's 401 says nothing about it. */
function isTokenRefused ({ status, headers }) {
  return status === 401 && /\bBearer\b/i.test(headers.get('www-authenticate'))
}
