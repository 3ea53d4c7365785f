import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyPairKeyObjectResult } from 'node:crypto'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'

// As many as a test needs that differ, and some to spare.
const MOST = 8
const FILE = new URL('../../rsa-keys.json', import.meta.url)
let kept: string[] | undefined
let asked = 0

/**
 * An RSA key of 2048 bits: one of eight in turn, which all processes share, for to generate one takes as long as to serve a hundred
 * requests. Not for what tells a key from another that came long before it.
 */
export function rsaKeyPair (): KeyPairKeyObjectResult {
  kept ??= readKeys() ?? generateKeys()
  const privateKey = createPrivateKey(kept[asked++ % MOST] ?? '')
  return { privateKey, publicKey: createPublicKey(privateKey) }
}

function readKeys (): string[] | undefined {
  try {
    return JSON.parse(readFileSync(FILE, 'utf8')) as string[]
  } catch {
    return undefined
  }
}

// Test files run in parallel, and each may be the first: the file is written aside, and is whole when it gets its name.
function generateKeys (): string[] {
  const keys = Array.from({ length: MOST }, () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'pem', type: 'pkcs8' }).toString())
  const aside = new URL(`${FILE.href}.${process.pid}`)
  writeFileSync(aside, JSON.stringify(keys), { mode: 0o600 })
  renameSync(aside, FILE)
  return keys
}
