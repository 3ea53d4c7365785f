import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import type { DerivedKey, KeyRing } from './derived-keys.ts'

/**
 * Encrypts texts with AES-256-GCM. What comes out names the key that it was made with: `<key id>.<base64url of nonce,
 * ciphertext and tag>`.
 *
 * A text is bound to a context, such as the row that it stands in: moved elsewhere, it cannot be read.
 */
export interface Encryption {
  encrypt (text: string, context: string): string
  /** @returns `undefined` where no key of the ring made it for this context, or where it was altered */
  decrypt (encrypted: string, context: string): string | undefined
  /** The id of the key that encrypts; what is of another key begins otherwise. */
  readonly keyId: string
}

const NONCE = 12
const TAG = 16
const FORM = /^([A-Za-z0-9_-]{11})\.([A-Za-z0-9_-]+)$/

/** @param ring the first key encrypts, all decrypt */
export function createEncryption (ring: KeyRing): Encryption {
  const [current] = ring
  return {
    keyId: current.id,

    encrypt (text, context) {
      const nonce = randomBytes(NONCE)
      const cipher = createCipheriv('aes-256-gcm', current.bytes, nonce, { authTagLength: TAG }).setAAD(Buffer.from(context))
      const sealed = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
      return `${current.id}.${sealed.toString('base64url')}`
    },

    decrypt (encrypted, context) {
      const [, id, sealed = ''] = FORM.exec(encrypted) ?? []
      const key = ring.find(key => key.id === id)
      return key && open(key, Buffer.from(sealed, 'base64url'), context)
    }
  }
}

function open ({ bytes }: DerivedKey, sealed: Buffer, context: string): string | undefined {
  if (sealed.length < NONCE + TAG) return undefined
  const decipher = createDecipheriv('aes-256-gcm', bytes, sealed.subarray(0, NONCE), { authTagLength: TAG })
    .setAAD(Buffer.from(context))
    .setAuthTag(sealed.subarray(-TAG))
  try {
    return decipher.update(sealed.subarray(NONCE, -TAG), undefined, 'utf8') + decipher.final('utf8')
  } catch {
    return undefined
  }
}
