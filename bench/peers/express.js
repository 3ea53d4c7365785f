// express + jsonwebtoken + bcrypt, as most tutorials put them together.
import bcrypt from 'bcrypt'
import express from 'express'
import jwt from 'jsonwebtoken'
import { AUDIENCE, ISSUER, claimsFor } from './claims.js'
import { openUsers } from './users.js'

const { PORT, DATABASE_URL, JWT_SECRET } = process.env
const BCRYPT_COST = 10

const users = await openUsers(DATABASE_URL)
const app = express()
app.use(express.json())

function authenticate (request, response, next) {
  const token = request.headers.authorization?.replace(/^Bearer /, '')
  jwt.verify(token, JWT_SECRET, { algorithms: ['HS256'], issuer: ISSUER, audience: AUDIENCE }, (error, claims) => {
    if (error) return response.status(401).json({ code: 'invalid_token' })
    request.user = claims
    next()
  })
}

const accessToken = user => ({ accessToken: jwt.sign(claimsFor(user), JWT_SECRET, { algorithm: 'HS256' }) })

app.post('/register', async (request, response) => {
  const user = await users.add(request.body.email, await bcrypt.hash(request.body.password, BCRYPT_COST))
  response.status(201).json(accessToken(user))
})

app.post('/login', async (request, response) => {
  const user = await users.findByEmail(request.body.email)
  if (!user || !await bcrypt.compare(request.body.password, user.password_hash)) return response.status(401).json({ code: 'invalid_credentials' })
  response.json(accessToken(user))
})

app.get('/open', (request, response) => response.json({ hello: 'world' }))
app.get('/guarded', authenticate, (request, response) => response.json({ hello: 'world' }))

app.listen(Number(PORT), '127.0.0.1')
