import { createHash } from 'node:crypto'
import { boundedRequest } from 'countersign-verifier/internal'

export interface BreachedPasswordsDeps {
  /** `BREACHED_PASSWORDS_URL`: the hash's prefix follows it. */
  url: string
  log: { warn (details: object, message: string): void, info (details: object, message: string): void }
}

export type BreachedPasswords = ReturnType<typeof createBreachedPasswords>

const TIMEOUT = 1_000
// A range has some 2,000 lines, padding included, of 40 bytes.
const MAX_BYTES = 512 * 1024
const PREFIX = 5

/**
 * Asks a service whether a password is in a known breach (ASVS 5.0 6.2.12), by k-anonymity: the service gets the first five
 * digits of its SHA-1, and gives the rest of all that begin so. Padding hides how many those are.
 *
 * Without an answer a password counts as not breached: an outage of that service must keep nobody out.
 */
export function createBreachedPasswords ({ url, log }: BreachedPasswordsDeps) {
  const base = url.endsWith('/') ? url : `${url}/`
  const counts = { unavailable: 0 }
  let isFailing = false

  async function findRange (prefix: string): Promise<string> {
    const { status, body } = await boundedRequest(new URL(base + prefix), {
      headers: { accept: 'text/plain', 'accept-encoding': 'identity', 'add-padding': 'true', 'user-agent': 'countersign' },
      timeout: TIMEOUT,
      maxBytes: MAX_BYTES,
      // Nothing ends it sooner.
      signal: new AbortController().signal
    })
    if (status !== 200) throw new Error(`The service of breached passwords answered ${status}`)
    return body
  }

  return {
    counts,

    async has (password: string): Promise<boolean> {
      const hash = createHash('sha1').update(password).digest('hex').toUpperCase()
      try {
        const range = await findRange(hash.slice(0, PREFIX))
        if (isFailing) log.info({}, 'breached passwords are checked again')
        isFailing = false
        return hasSuffix(range, hash.slice(PREFIX))
      } catch (error) {
        counts.unavailable++
        if (!isFailing) log.warn({ err: error }, 'breached passwords cannot be checked')
        isFailing = true
        return false
      }
    }
  }
}

// Lines of padding have the count 0.
function hasSuffix (range: string, suffix: string): boolean {
  return range.split('\n').some(line => {
    const [known = '', count = ''] = line.trim().split(':')
    return known.toUpperCase() === suffix && /^0*[1-9]\d*$/.test(count)
  })
}
