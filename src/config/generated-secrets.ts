import { randomBytes } from 'node:crypto'
import { existsSync, linkSync, mkdirSync, readFileSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
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
 */
export function loadGeneratedSecrets (dataDir: string): GeneratedSecrets {
  const file = join(dataDir, 'secrets.json')
  makeDataDirectory(resolve(dataDir))
  if (!existsSync(file)) publish(file, { secret: generateSecret(), jwtSecret: generateSecret() })
  refuseShared(file)
  const secrets = parseSecrets(readFileSync(file, 'utf8'))
  const weakness = findWeakness(secrets.secret) ?? findWeakness(secrets.jwtSecret)
  if (weakness !== undefined) throw new Error(`its secrets.json holds a secret that ${weakness}; delete it to have new secrets made, which ends all sessions`)
  return secrets
}

/**
 * Creates a directory and its missing parents, for their owner only.
 *
 * Node's own recursive mkdir never returns where the kernel answers ENOENT below an existing directory, as in /proc.
 */
export function makeDataDirectory (path: string): void {
  const mode = 0o700
  try {
    mkdirSync(path, { mode })
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'EEXIST' && statSync(path).isDirectory()) return
    if (code !== 'ENOENT' || dirname(path) === path) throw error
    makeDataDirectory(dirname(path))
    mkdirSync(path, { mode })
  }
}

// Written to a draft and then linked: a reader finds a complete file, and the first of two writers wins.
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

// Windows has no such mode bits.
function refuseShared (file: string): void {
  if (process.platform === 'win32' || (statSync(file).mode & 0o077) === 0) return
  throw new Error('its secrets.json may be read by others than its owner; make new secrets if it was, and chmod 600 it')
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
