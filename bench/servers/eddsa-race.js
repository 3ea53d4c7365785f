// Verifies the same EdDSA tokens with the verifier and with bare Ed25519, in turn.
import { createPublicKey as readPublicKey, generateKeyPairSync, randomUUID, sign, verify } from 'node:crypto'
import { createPublicKey, createTokenVerifier } from '../../verifier/dist/internal.js'
import { AUDIENCE, ISSUER, claimsFor } from '../peers/claims.js'

const TOKENS = 200

const { privateKey, publicKey } = generateKeyPairSync('ed25519')
const key = createPublicKey(publicKey.export({ format: 'jwk' }), AUDIENCE)
const encode = value => Buffer.from(JSON.stringify(value)).toString('base64url')
const header = encode({ alg: 'EdDSA', typ: 'at+jwt', kid: key.kid })

const signed = Array.from({ length: TOKENS }, (_, index) => {
  const input = Buffer.from(`${header}.${encode(claimsFor({ id: randomUUID(), email: `user${index}@bench.example`, role: 'user' }))}`)
  const signature = sign(null, input, privateKey)
  return { input, signature, token: `${input}.${signature.toString('base64url')}` }
})

const verifier = createTokenVerifier({ issuer: ISSUER, audience: AUDIENCE, keys: [key], cacheBytes: 0 })
const bare = readPublicKey(publicKey.export({ format: 'pem', type: 'spki' }))

const contestants = {
  raw: ({ input, signature }) => verify(null, input, bare, signature),
  verified: ({ token }) => verifier.verify(token)
}

/** Microseconds an item. */
function time (milliseconds, work) {
  const startedAt = performance.now()
  let done = 0
  for (; performance.now() - startedAt < milliseconds; done += TOKENS) signed.forEach(work)
  return (performance.now() - startedAt) * 1000 / done
}

process.on('disconnect', () => process.exit())
process.on('message', ({ rounds, roundMs }) => {
  const results = { raw: [], verified: [] }
  for (const work of Object.values(contestants)) time(roundMs, work)
  const cpuBefore = process.cpuUsage()
  const startedAt = performance.now()
  for (let round = 0; round < rounds; round++) {
    for (const [name, work] of Object.entries(contestants)) results[name].push(time(roundMs, work))
  }
  const { user, system } = process.cpuUsage(cpuBefore)
  process.send({ results, waited: 1 - (user + system) / 1000 / (performance.now() - startedAt) })
})
