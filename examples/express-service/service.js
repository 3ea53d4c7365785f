// An express service that verifies Countersign's tokens itself, and learns of every logout from the revocation feed.
//
//   countersign clients create --name orders --scope revocations:read
//   JWT_SECRET=… CLIENT_ID=client_… CLIENT_SECRET=… PORT=4000 node service.js
import { createGuards } from 'countersign-verifier/express'
import express from 'express'

const { COUNTERSIGN_URL = 'http://localhost:3000', JWT_SECRET, CLIENT_ID, CLIENT_SECRET, PORT = '4000' } = process.env
const { JWT_ISSUER = COUNTERSIGN_URL, JWT_AUDIENCE = 'api' } = process.env

const { authenticate, authorize, close } = createGuards({
  issuer: JWT_ISSUER,
  audience: JWT_AUDIENCE,
  secret: JWT_SECRET,
  revocations: { url: `${COUNTERSIGN_URL}/revocations`, clientId: CLIENT_ID, clientSecret: CLIENT_SECRET },
  maxStaleness: 60,
  onStale: 'reject'
})

const app = express()

app.get('/orders', authenticate, ({ user }, response) => {
  response.json({ orders: [], of: user.id, role: user.role })
})

app.get('/statistics', authorize('admin'), (request, response) => {
  response.json({ orders: 0 })
})

const server = app.listen(Number(PORT), '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`))

process.once('SIGTERM', () => {
  close()
  server.close()
})
