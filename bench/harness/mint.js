// Access tokens by the hundred thousand, each different, as lines of a file.
import { createHmac, randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { claimsFor } from '../peers/claims.js'

const HEADER = encode({ alg: 'HS256', typ: 'JWT' })

/** Where tokens for a subject come from: `plain` by hand for the peers, `countersign` by the service's own signer. */
const mints = {
  async plain ({ JWT_SECRET }) {
    return user => {
      const signingInput = `${HEADER}.${encode(claimsFor(user))}`
      return `${signingInput}.${createHmac('sha256', JWT_SECRET).update(signingInput).digest('base64url')}`
    }
  },
  // Imported only now: it needs a built service, which the peers do not.
  async countersign (env, example) {
    const { createCountersignMint } = await import('./countersign-mint.js')
    return createCountersignMint(env, example)
  }
}

/** @returns the file's name */
export async function mintFile (directory, subject, count) {
  const mint = await mints[subject.mint](subject.env, subject.users[0].token)
  const file = join(directory, `${subject.name}-${randomUUID()}`)
  const tokens = Array.from({ length: count }, (_, index) => mint(person(index)))
  writeFileSync(file, tokens.join('\n'))
  return file
}

function person (index) {
  return { id: randomUUID(), email: `user${index}@bench.example`, role: 'user' }
}

function encode (value) {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
