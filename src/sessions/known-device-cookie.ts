import { randomBytes } from 'node:crypto'
import type { KeyRing } from '../tokens/derived-keys.ts'
import { createSignedText } from '../tokens/signed-text.ts'

/** How long a device is known after its last login, in seconds. */
export const KNOWN_DEVICE_LIFE = 180 * 86_400

export type KnownDeviceCookie = ReturnType<typeof createKnownDeviceCookie>

/**
 * The cookie by which a browser shows that an account has logged in from it before. It authenticates nobody: it only keeps
 * its owner a place in the hash queue during a flood of logins, and failures of their own where strangers have used up theirs.
 *
 * @param clock milliseconds since 1970
 */
export function createKnownDeviceCookie (ring: KeyRing, clock: () => number = Date.now) {
  const { sign, open } = createSignedText(ring)

  return {
    write: (userId: string) => sign(`${userId}.${Math.floor(clock() / 1000)}.${randomBytes(8).toString('base64url')}`),

    /** @returns the account that logged in, and by what this device is told from its others; `undefined` where the cookie is invalid or too old */
    read (cookie: string): { owner: string, device: string } | undefined {
      const [owner, since = '', device] = open(cookie)?.split('.') ?? []
      const isValid = Number(since) + KNOWN_DEVICE_LIFE > clock() / 1000
      return isValid && owner !== undefined && device !== undefined ? { owner, device } : undefined
    }
  }
}
