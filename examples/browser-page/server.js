// A web page whose visitors log in with cookies: scripts never see a token.
//
//   ALLOWED_ORIGINS=http://localhost:4000 npm start       (Countersign, on port 3000)
//   JWT_SECRET=… CLIENT_ID=client_… CLIENT_SECRET=… PORT=4000 node server.js
//
// Cookies ignore ports: those of http://localhost:3000 are sent to http://localhost:4000 too. So a second Countersign on this
// machine would overwrite them: give it, and its page, 127.0.0.1 instead. On different hosts, let COOKIE_DOMAIN share the access
// cookie between auth.example.com and the page at app.example.com.
import { readFile } from 'node:fs/promises'
import verifier, { authenticate } from 'countersign-verifier/fastify'
import Fastify from 'fastify'

const { COUNTERSIGN_URL = 'http://localhost:3000', JWT_SECRET, CLIENT_ID, CLIENT_SECRET, PORT = '4000' } = process.env
const { JWT_ISSUER = COUNTERSIGN_URL, JWT_AUDIENCE = 'api' } = process.env

const app = Fastify()

await app.register(verifier, {
  issuer: JWT_ISSUER,
  audience: JWT_AUDIENCE,
  secret: JWT_SECRET,
  revocations: { url: `${COUNTERSIGN_URL}/revocations`, clientId: CLIENT_ID, clientSecret: CLIENT_SECRET },
  maxStaleness: 60,
  onStale: 'reject'
})

// The page's own API, with the cookie that the browser sends.
app.get('/api/greeting', { onRequest: authenticate }, ({ user }) => ({ greeting: `Hello, ${user.email}` }))

const POLICY = `default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' ${COUNTERSIGN_URL}; form-action 'none'; frame-ancestors 'none'; base-uri 'none'`

const files = { '/': ['index.html', 'text/html'], '/page.js': ['page.js', 'text/javascript'], '/session.js': ['session.js', 'text/javascript'], '/page.css': ['page.css', 'text/css'] }
for (const [path, [name, type]] of Object.entries(files)) {
  const text = (await readFile(new URL(`public/${name}`, import.meta.url), 'utf8')).replace('{{COUNTERSIGN_URL}}', COUNTERSIGN_URL)
  app.get(path, (request, reply) => reply.headers({ 'content-type': `${type}; charset=utf-8`, 'content-security-policy': POLICY }).send(text))
}

await app.listen({ port: Number(PORT), host: 'localhost' })
console.log(`http://localhost:${app.server.address().port}`)

process.once('SIGTERM', () => app.close())
