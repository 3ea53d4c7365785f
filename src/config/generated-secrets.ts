import { randomBytes } from 'node:crypto'
import { closeSync, constants, existsSync, fstatSync, linkSync, lstatSync, openSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { isForeign, makeDataDirectory } from './data-directory.ts'
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
 * Reads the secrets in `dataDir`, after generating them at the first start. Only the owner can read the file (mode 0600).
 * Where two processes start at once, the first to create the file wins.
 *
 * @throws Error when the directory cannot be read or written, or a secret in it is weak
 * @throws DirectoryRefused when others could have planted what is in it
 */
export function loadGeneratedSecrets (dataDir: string): GeneratedSecrets {
  const file = join(dataDir, 'secrets.json')
  makeDataDirectory(resolve(dataDir))
  if (!existsSync(file)) publish(file, { secret: generateSecret(), jwtSecret: generateSecret() })
  const secrets = parseSecrets(readOwnFile(file))
  const weakness = findWeakness(secrets.secret) ?? findWeakness(secrets.jwtSecret)
  if (weakness !== undefined) throw new Error(`its secrets.json holds a secret that ${weakness}; delete it to have new secrets made, which ends all sessions`)
  return secrets
}

// Written to a draft and then linked: a reader finds a complete file, and the first of two writers wins.
function publish (file: string, secrets: GeneratedSecrets): void {
  const draft = `${file}.${randomBytes(6).toString('hex')}`
  writeFileSync(draft, `${JSON.stringify(secrets, null, 2)}\n`, { flag: 'wx', mode: 0o600, flush: true })
  try {
    linkSync(draft, file)
  } catch (error) {
    if (!existsSync(file)) throw error
  } finally {
    unlinkSync(draft)
  }
}

// The file that is read is the one that was checked, and no link leads elsewhere.
function readOwnFile (file: string): string {
  if (lstatSync(file).isSymbolicLink()) throw new Error('its secrets.json is a symbolic link, which is not followed')
  const descriptor = openSync(file, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0))
  try {
    const found = fstatSync(descriptor)
    if (isForeign(found)) throw new Error('its secrets.json belongs to another user; delete it to have new secrets made, which ends all sessions')
    // Windows has no such mode bits.
    if (process.platform !== 'win32' && (found.mode & 0o077) !== 0) {
      throw new Error('its secrets.json may be read by others than its owner; make new secrets if it was, and chmod 600 it')
    }
    return readFileSync(descriptor, 'utf8')
  } finally {
    closeSync(descriptor)
  }
}

function parseSecrets (json: string): GeneratedSecrets {
  // The parser's own message would contain the secrets.
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
