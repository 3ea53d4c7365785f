import { generateKeyPairSync, type KeyPairKeyObjectResult } from 'node:crypto'

// As many as a test needs that differ.
const MOST = 4
const made: KeyPairKeyObjectResult[] = []
let asked = 0

/**
 * An RSA key of 2048 bits: one of four in turn, for to generate one takes as long as to serve a hundred requests. Not for what
 * tells a key from another that came long before it.
 */
export function rsaKeyPair (): KeyPairKeyObjectResult {
  const index = asked++ % MOST
  const pair = made[index] ?? generateKeyPairSync('rsa', { modulusLength: 2048 })
  made[index] = pair
  return pair
}
