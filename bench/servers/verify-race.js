// Verifies the same tokens with each library in turn, no cache anywhere, beside a bare HMAC of each.
import { createHmac, createSecretKey, randomBytes, randomUUID } from 'node:crypto'
import { createVerifier as createFastJwt } from 'fast-jwt'
import { jwtVerify } from 'jose'
import jwt from 'jsonwebtoken'
import { AUDIENCE, ISSUER, claimsFor } from '../peers/claims.js'

const TOKENS = 1000
const secret = randomBytes(48).toString('base64url')
const key = createSecretKey(Buffer.from(secret))

const countersign = process.env.VERIFIER ? await import(process.env.VERIFIER) : undefined
const countersignKey = countersign?.createHmacKey(secret, ISSUER, AUDIENCE)
const header = countersignKey?.header ?? `${Buffer.from('{"alg":"HS256","typ":"at+jwt","kid":"AAAAAAAAAAA"}').toString('base64url')}.`

const signingInputs = Array.from({ length: TOKENS }, (_, index) => {
  const claims = claimsFor({ id: randomUUID(), email: `user${index}@bench.example`, role: 'user' })
  return header + Buffer.from(JSON.stringify(claims)).toString('base64url')
})
const tokens = signingInputs.map(input => `${input}.${createHmac('sha256', key).update(input).digest('base64url')}`)

const verifiers = {
  ...(countersign && { 'countersign-verifier': verifyCountersign() }),
  'fast-jwt': createFastJwt({ key: secret, algorithms: ['HS256'], allowedIss: ISSUER, allowedAud: AUDIENCE, requiredClaims: ['exp'], cache: false }),
  jsonwebtoken: token => jwt.verify(token, key, { algorithms: ['HS256'], issuer: ISSUER, audience: AUDIENCE }),
  jose: token => jwtVerify(token, key, { algorithms: ['HS256'], issuer: ISSUER, audience: AUDIENCE, typ: 'at+jwt' })
}

function verifyCountersign () {
  const revocations = countersign.createRevocationSet?.()
  const verifier = countersign.createTokenVerifier({ issuer: ISSUER, audience: AUDIENCE, keys: [countersignKey], revocations, cacheBytes: 0 })
  return token => verifier.verify(token)
}

function timeRaw (milliseconds) {
  return time(milliseconds, batch => {
    for (const input of batch) createHmac('sha256', key).update(input).digest()
  }, signingInputs)
}

function timeVerifier (verify, milliseconds) {
  return time(milliseconds, batch => {
    for (const token of batch) verify(token)
  }, tokens)
}

async function timeAsync (verify, milliseconds) {
  const startedAt = performance.now()
  let done = 0
  while (performance.now() - startedAt < milliseconds) {
    for (const token of tokens.slice(0, 100)) await verify(token)
    done += 100
  }
  return (performance.now() - startedAt) * 1000 / done
}

/** Microseconds an item. */
function time (milliseconds, work, items) {
  const startedAt = performance.now()
  let done = 0
  while (performance.now() - startedAt < milliseconds) {
    work(items)
    done += items.length
  }
  return (performance.now() - startedAt) * 1000 / done
}

process.on('disconnect', () => process.exit())
process.on('message', async ({ rounds, roundMs }) => {
  const runners = {
    raw: timeRaw,
    ...Object.fromEntries(Object.entries(verifiers).map(([name, verify]) =>
      [name, milliseconds => name === 'jose' ? timeAsync(verify, milliseconds) : timeVerifier(verify, milliseconds)]))
  }
  for (const runner of Object.values(runners)) await runner(roundMs)
  const results = Object.fromEntries(Object.keys(runners).map(name => [name, []]))
  const cpuBefore = process.cpuUsage()
  const startedAt = performance.now()
  for (let round = 0; round < rounds; round++) {
    for (const [name, runner] of Object.entries(runners)) results[name].push(await runner(roundMs))
  }
  const { user, system } = process.cpuUsage(cpuBefore)
  process.send({ results, waited: 1 - (user + system) / 1000 / (performance.now() - startedAt) })
})
