// A service that verifies Countersign's tokens with jsonwebtoken and the shared JWT_SECRET.
//
//   JWT_SECRET=… PORT=4000 node service.js
//
// It does not learn of logouts: a token is accepted until it expires.
import { createServer } from 'node:http'
import jwt from 'jsonwebtoken'

const { JWT_SECRET, JWT_ISSUER = 'http://localhost:3000', JWT_AUDIENCE = 'api', PORT = '4000' } = process.env

function authenticate ({ headers: { authorization = '' } }) {
  const token = /^Bearer (.+)$/i.exec(authorization)?.[1] ?? ''
  const { header, payload } = jwt.verify(token, JWT_SECRET, {
    algorithms: ['HS256'],
    issuer: JWT_ISSUER,
    audience: JWT_AUDIENCE,
    complete: true
  })
  if (header.typ !== 'at+jwt') throw new Error('This is no access token')
  // A service's token for itself.
  if (payload.sid === undefined || payload.role === undefined) throw new Error('This token speaks of no user')
  return payload
}

const server = createServer((request, response) => {
  response.setHeader('content-type', 'application/json')
  try {
    const { sub, role } = authenticate(request)
    response.end(JSON.stringify({ orders: [], of: sub, role }))
  } catch {
    response.writeHead(401, { 'www-authenticate': 'Bearer' }).end(JSON.stringify({ error: 'Log in first' }))
  }
})

server.listen(Number(PORT), '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`))
