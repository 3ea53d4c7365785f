// How a mobile app signs a user in with a provider, without a user interface.
//
//   AUTH_URL=http://localhost:3000 REDIRECT_TO=com.example.app:/signed-in node sign-in.js google
//
// The service needs REDIRECT_TO in its ALLOWED_REDIRECTS. An app opens the URL in the system browser, and the system opens
// the app with the redirect; here you do both by hand.
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

const { AUTH_URL = 'http://localhost:3000', REDIRECT_TO = 'com.example.app:/signed-in' } = process.env
const [, , provider = 'google'] = process.argv

// Stays in the app until the redirect: the code in it is useless without the verifier.
const codeVerifier = randomBytes(32).toString('base64url')

const start = new URL(`/auth/providers/${provider}`, AUTH_URL)
start.search = new URLSearchParams({
  redirectTo: REDIRECT_TO,
  codeChallenge: createHash('sha256').update(codeVerifier).digest('base64url'),
  codeChallengeMethod: 'S256'
})
console.log('Open', start.href)
console.log('Then paste the link that the browser opens:')

const lines = createInterface(process.stdin)
const [line] = await once(lines, 'line')
lines.close()
const link = new URL(line)
const error = link.searchParams.get('error')
if (error) throw new Error(`Nobody was signed in: ${error}`)

const response = await fetch(new URL('/auth/providers/exchange', AUTH_URL), {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ code: link.searchParams.get('code'), codeVerifier }),
  // A redirect (307, 308) would take the code and its verifier elsewhere.
  redirect: 'error',
  signal: AbortSignal.timeout(10_000)
})
if (!response.ok) throw new Error(`The exchange was answered ${response.status}: ${await response.text()}`)
// Store the refresh token in the keychain, and nowhere else.
const { user, accessToken, refreshToken, expiresIn } = await response.json()
console.log(`Signed in as ${user.email} for ${expiresIn} seconds, with ${accessToken.length + refreshToken.length} characters of tokens`)
