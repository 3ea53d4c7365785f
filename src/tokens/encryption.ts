import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import type { DerivedKey, KeyRing } from './derived-keys.ts'

/**
 * Encrypts texts with AES-256-GCM. The result names its key: `<key id>.<base64url of nonce, ciphertext and tag>`.
 *
 * A text is bound to a context, such as the row that it is stored in: in another context it cannot be decrypted.
 */
export interface Encryption {
  encrypt (text: string, context: string): string
  /** @returns `undefined` if the key is not in the ring, the context differs, or the text was altered */
  decrypt (encrypted: string, context: string): string | undefined
  /** The id of the key that encrypts. Texts encrypted with another key begin differently. */
  readonly keyId: string
}

const NONCE = 12
const TAG = 16
const FORMAT = /^([A-Za-z0-9_-]{11})\.([A-Za-z0-9_-]+)$/

/** @param ring the first key encrypts, all decrypt */
export function createEncryption (ring: KeyRing): Encryption {
  const [current] = ring
  return {
    keyId: current.id,

    encrypt (text, context) {
      const nonce = randomBytes(NONCE)
      const cipher = createCipheriv('aes-256-gcm', current.bytes, nonce, { authTagLength: TAG }).setAAD(Buffer.from(context))
      const bytes = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
      return `${current.id}.${bytes.toString('base64url')}`
    },

    decrypt (encrypted, context) {
      const [, id, encoded = ''] = FORMAT.exec(encrypted) ?? []
      const key = ring.find(key => key.id === id)
      return key && decryptWith(key, Buffer.from(encoded, 'base64url'), context)
    }
  }
}

function decryptWith ({ bytes: key }: DerivedKey, bytes: Buffer, context: string): string | undefined {
  if (bytes.length < NONCE + TAG) return undefined
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE), { authTagLength: TAG })
    .setAAD(Buffer.from(context))
    .setAuthTag(bytes.subarray(-TAG))
  try {
    return decipher.update(bytes.subarray(NONCE, -TAG), undefined, 'utf8') + decipher.final('utf8')
  } catch {
    return undefined
  }
}
