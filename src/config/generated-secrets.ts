import { randomBytes } from 'node:crypto'
import { existsSync, linkSync, mkdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

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
 * @throws Error when the directory can neither be read nor written
 */
export function loadGeneratedSecrets (dataDir: string): GeneratedSecrets {
  const file = join(dataDir, 'secrets.json')
  makeDirectory(resolve(dataDir))
  if (!existsSync(file)) publish(file, { secret: generateSecret(), jwtSecret: generateSecret() })
  return parseSecrets(readFileSync(file, 'utf8'))
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

// Not by `recursive`, which in Node never returns below /proc.
function makeDirectory (directory: string): void {
  if (existsSync(directory)) return
  makeDirectory(dirname(directory))
  mkdirSync(directory, { mode: 0o700 })
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
