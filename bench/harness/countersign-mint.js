// Tokens as the service itself makes them, seal and all: only its own code can.
import { createHmac, createSecretKey, randomUUID } from 'node:crypto'
import { createAccessTokenMint } from '../../dist/tokens/mint-access-token.js'
import { deriveKeyRing } from '../../dist/tokens/derived-keys.js'
import { createSeal } from '../../dist/tokens/seal.js'

const LIFE = 3600

/** @param example a token the service gave out: what is minted here bears its header to the letter */
export function createCountersignMint ({ COUNTERSIGN_SECRET, JWT_SECRET, JWT_ISSUER, JWT_AUDIENCE }, example) {
  const key = createSecretKey(Buffer.from(JWT_SECRET))
  const header = example.slice(0, example.indexOf('.'))
  const mint = createAccessTokenMint({
    sign (claims) {
      const signingInput = `${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`
      return `${signingInput}.${createHmac('sha256', key).update(signingInput).digest('base64url')}`
    },
    seal: createSeal(deriveKeyRing([COUNTERSIGN_SECRET], 'seal').map(({ bytes }) => bytes)),
    issuer: JWT_ISSUER,
    audience: JWT_AUDIENCE,
    ttl: LIFE
  })

  return ({ id, email, role }) => {
    const now = Date.now() / 1000
    const subject = { id, email, emailVerified: false, role, version: 1 }
    return mint({ subject, sessionId: randomUUID(), now, sessionEnds: now + LIFE }).accessToken
  }
}
