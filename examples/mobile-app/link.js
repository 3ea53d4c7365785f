// What a mobile app does to link an account at a provider to the one that it is logged in to, without its screens.
//
//   AUTH_URL=http://localhost:3000 REDIRECT_TO=com.example.app:/linked ACCESS_TOKEN=… REFRESH_TOKEN=… node link.js google
//
// The service needs REDIRECT_TO among its ALLOWED_REDIRECTS, and a login in the last five minutes. In an app, the address is
// opened in the system's browser, and the system opens the app with the link; here you do both by hand.
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

const { AUTH_URL = 'http://localhost:3000', REDIRECT_TO = 'com.example.app:/linked', ACCESS_TOKEN, REFRESH_TOKEN: refreshToken } = process.env
const [, , provider = 'google'] = process.argv

/** Asks as the session itself: the access token alone may be somebody else's by now. */
async function ask (path, body) {
  const response = await fetch(new URL(path, AUTH_URL), {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${ACCESS_TOKEN}` },
    body: JSON.stringify({ ...body, refreshToken })
  })
  if (!response.ok) throw new Error((await response.json()).title)
  return response
}

// Kept by the app until the link comes: whoever else gets hold of the link can do nothing with it.
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
