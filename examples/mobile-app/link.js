// How a mobile app links an account at a provider to the logged-in account, without a user interface.
//
//   AUTH_URL=http://localhost:3000 REDIRECT_TO=com.example.app:/linked ACCESS_TOKEN=… REFRESH_TOKEN=… node link.js google
//
// The service needs REDIRECT_TO in its ALLOWED_REDIRECTS, and a login in the last five minutes. An app opens the URL in the
// system browser, and the system opens the app with the redirect; here you do both by hand.
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

const { AUTH_URL = 'http://localhost:3000', REDIRECT_TO = 'com.example.app:/linked', ACCESS_TOKEN, REFRESH_TOKEN: refreshToken } = process.env
const [, , provider = 'google'] = process.argv

/** Sends the refresh token too, which proves presence: the access token alone may be stolen. */
async function ask (path, body) {
  const response = await fetch(new URL(path, AUTH_URL), {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${ACCESS_TOKEN}` },
    body: JSON.stringify({ ...body, refreshToken }),
    // A redirect (307, 308) would take the refresh token elsewhere.
    redirect: 'error',
    signal: AbortSignal.timeout(10_000)
  })
  if (!response.ok) throw new Error(`${path} was answered ${response.status}: ${await response.text()}`)
  return response
}

// Stays in the app until the redirect: the code in it is useless without the verifier.
const codeVerifier = randomBytes(32).toString('base64url')
const codeChallenge = createHash('sha256').update(codeVerifier).digest('base64url')

const { url } = await (await ask('/auth/identities/link', { provider, redirectTo: REDIRECT_TO, codeChallenge })).json()
console.log('Open', url)
console.log('Then paste the link that the browser opens:')

const lines = createInterface(process.stdin)
const [line] = await once(lines, 'line')
lines.close()
const link = new URL(line)
const error = link.searchParams.get('error')
if (error) throw new Error(`Nothing was linked: ${error}`)

await ask('/auth/identities/link/exchange', { code: link.searchParams.get('code'), codeVerifier })
console.log(`Linked with ${provider}`)
