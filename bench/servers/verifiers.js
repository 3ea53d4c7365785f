// Services of their own, as far as they verify: FOLLOWERS of them in one process. The first answers HTTP: 200 to a good
// token, else 401. What each is told, and when, is answered when the parent asks.
import { createServer } from 'node:http'
import { createVerifier } from '../../verifier/dist/index.js'

const { COUNTERSIGN_URL, JWT_ISSUER, JWT_AUDIENCE, JWT_SECRET, CLIENT_ID, CLIENT_SECRET, FOLLOWERS = '1' } = process.env

const verifiers = Array.from({ length: Number(FOLLOWERS) }, () => createVerifier({
  issuer: JWT_ISSUER,
  audience: JWT_AUDIENCE,
  secret: JWT_SECRET,
  revocations: { url: `${COUNTERSIGN_URL}/revocations`, clientId: CLIENT_ID, clientSecret: CLIENT_SECRET },
  maxStaleness: 30,
  onStale: 'reject'
}))
await Promise.all(verifiers.map(({ ready }) => ready()))

let heard = []
for (const [follower, { events }] of verifiers.entries()) {
  events.on('revocation', ({ id }) => { heard.push({ follower, id, at: performance.timeOrigin + performance.now() }) })
}

const server = createServer(({ headers: { authorization } }, response) => {
  try {
    verifiers[0].verify(authorization.slice('Bearer '.length))
    response.end()
  } catch {
    response.writeHead(401).end()
  }
})
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }))

process.on('message', () => {
  process.send({ heard })
  heard = []
})
process.on('disconnect', () => process.exit())
