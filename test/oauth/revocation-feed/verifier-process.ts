// A service of its own, as far as it verifies: it answers 200 to a good token, and else what the verifier says of it.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createVerifier, InvalidToken, type OnStale } from 'countersign-verifier'

const { ISSUER = '', JWT_SECRET = '', FEED = '', CLIENT_ID: clientId = '', CLIENT_SECRET: clientSecret = '', MAX_STALENESS = '2', ON_STALE = 'reject' } = process.env

const verifier = createVerifier({
  issuer: ISSUER,
  audience: 'api',
  secret: JWT_SECRET,
  revocations: { url: FEED, clientId, clientSecret },
  maxStaleness: Number(MAX_STALENESS),
  onStale: ON_STALE as OnStale
})
verifier.events.on('warning', () => {})

const server = createServer(({ headers: { authorization = '' } }, response) => {
  try {
    verifier.verify(authorization.slice('Bearer '.length))
    response.end('good')
  } catch (error) {
    response.writeHead(401).end(error instanceof InvalidToken ? error.reason : String(error))
  }
})

server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`))
process.once('SIGTERM', () => process.exit())
