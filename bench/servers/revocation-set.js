// A million live revocations in memory: what they take, and what verifying costs beside them.
import { createHmac, randomBytes, randomUUID } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createHmacKey, createRevocationSet, createTokenVerifier } from '../../verifier/dist/internal.js'
import { interleave, summarize } from '../harness/statistics.js'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc')

const MANY = Number(process.env.LARGE ?? 1_000_000)
const TOKENS = 1_000
const secret = randomBytes(48).toString('base64url')
const key = createHmacKey(secret, 'bench', 'api')
const now = Math.floor(Date.now() / 1000)
const tokens = Array.from({ length: TOKENS }, mint)

const [empty, full, ofUsers] = [createRevocationSet(), createRevocationSet(), createRevocationSet()]
const before = memory()
const beganAt = performance.now()
for (let count = 0; count < MANY; count++) full.add({ kind: 'session', id: flatId(), expiresAt: now + 3600 + count % 600 })
const took = performance.now() - beganAt
const after = memory()
console.log(`${MANY} revoked sessions: ${((after - before) / 1e6).toFixed(0)} MB, ${((after - before) / MANY).toFixed(0)} bytes each, added at ${(took / MANY * 1000).toFixed(2)} µs each`)
for (let count = 0; count < MANY; count++) ofUsers.add({ kind: 'user', id: flatId(), minVersion: 2, expiresAt: now + 3600 })
const users = memory()
console.log(`${MANY} revoked users: ${((users - after) / 1e6).toFixed(0)} MB, ${((users - after) / MANY).toFixed(0)} bytes each`)

for (const [what, cacheBytes] of [['new to it', 0], ['seen before', 16 * 2 ** 20]]) {
  const contestants = Object.fromEntries(Object.entries({ empty, full, ofUsers }).map(([name, revocations]) => {
    const { verify } = createTokenVerifier({ issuer: 'bench', audience: 'api', keys: [key], revocations, cacheBytes })
    return [name, () => {
      const began = performance.now()
      let count = 0
      while (performance.now() - began < 100) {
        for (let turn = 0; turn < 200; turn++) verify(tokens[count++ % TOKENS])
      }
      return (performance.now() - began) / count * 1000
    }]
  }))
  await interleave(3, contestants)
  const { empty: none, full: sessions, ofUsers: alone } = await interleave(20, contestants)
  const µs = rounds => summarize(rounds).median.toFixed(2)
  console.log(`verifying a token ${what}: ${µs(none)} µs with nothing revoked, ${µs(sessions)} with ${MANY} sessions, ${µs(alone)} with ${MANY} users`)
}

for (const [what, moment] of [['nothing', now], ['half', now + 3900]]) {
  const began = performance.now()
  full.prune(moment)
  console.log(`pruning where ${what} has expired: ${(performance.now() - began).toFixed(0)} ms, ${full.size} left`)
}

// As it comes from JSON: what randomUUID gives is a string of pieces, and takes many times as much.
function flatId () {
  return JSON.parse(JSON.stringify(randomUUID()))
}

function memory () {
  collect()
  collect()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

function mint () {
  const part = value => Buffer.from(JSON.stringify(value)).toString('base64url')
  const claims = { iss: 'bench', aud: 'api', sub: randomUUID(), sid: randomUUID(), iat: now, exp: now + 3000, client_id: 'countersign', role: 'user', ver: 1, email: 'a@b.example', email_verified: false, jti: 'x' }
  const input = `${part({ alg: 'HS256', typ: 'at+jwt', kid: key.kid })}.${part(claims)}`
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
}
