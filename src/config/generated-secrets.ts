import { randomBytes } from 'node:crypto'
import { existsSync, linkSync, readFileSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { makeDirectory } from './make-directory.ts'
import { findWeakness } from './secret-strength.ts'

/** The two secrets of this machine, for development. */
export interface GeneratedSecrets {
  secret: string
  jwtSecret: string
}

/** @returns a new secret: 256 random bits, base64url */
export function generateSecret (): string {
  return randomBytes(32).toString('base64url')
}

/**
 * Reads the secrets kept in `dataDir`, making them at the first start. The file is for its owner alone (mode 0600).
 * Of two processes that start at once, the one that creates the file decides.
 *
 * @throws Error when the directory can neither be read nor written, or what it holds is not fit to be a secret
 */
export function loadGeneratedSecrets (dataDir: string): GeneratedSecrets {
  const file = join(dataDir, 'secrets.json')
  makeDirectory(resolve(dataDir))
  if (!existsSync(file)) publish(file, { secret: generateSecret(), jwtSecret: generateSecret() })
  refuseShared(file)
  const secrets = parseSecrets(readFileSync(file, 'utf8'))
  const weakness = findWeakness(secrets.secret) ?? findWeakness(secrets.jwtSecret)
  if (weakness !== undefined) throw new Error(`its secrets.json holds a secret that ${weakness}; delete it to have new secrets made, which ends all sessions`)
  return secrets
}

// Written aside and then linked: whoever finds the file finds all of it, and the first of two writers stands.
function publish (file: string, secrets: GeneratedSecrets): void {
  const draft = `${file}.${process.pid}`
  writeFileSync(draft, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600, flush: true })
  try {
    linkSync(draft, file)
  } catch (error) {
    if (!existsSync(file)) throw error
  } finally {
    unlinkSync(draft)
  }
}

// Windows has no such bits.
function refuseShared (file: string): void {
  if (process.platform === 'win32' || (statSync(file).mode & 0o077) === 0) return
  throw new Error('its secrets.json may be read by others than its owner; make new secrets if it was, and chmod 600 it')
}

function parseSecrets (json: string): GeneratedSecrets {
  // The parser's own message would quote the file.
  const damaged = new Error('its secrets.json is damaged; delete it to have new secrets made, which ends all sessions')
  let content: Partial<GeneratedSecrets>
  try {
    content = JSON.parse(json) as Partial<GeneratedSecrets>
  } catch {
    throw damaged
  }
  const { secret, jwtSecret } = content
  if (typeof secret !== 'string' || typeof jwtSecret !== 'string') throw damaged
  return { secret, jwtSecret }
}
