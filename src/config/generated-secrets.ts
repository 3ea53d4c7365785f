import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

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
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 })
    const made: GeneratedSecrets = { secret: generateSecret(), jwtSecret: generateSecret() }
    writeFileSync(file, `${JSON.stringify(made, null, 2)}\n`, { mode: 0o600, flag: 'wx', flush: true })
    return made
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || error.code !== 'EEXIST') throw error
  }
  return parseSecrets(readFileSync(file, 'utf8'))
}

function parseSecrets (json: string): GeneratedSecrets {
  const { secret, jwtSecret } = JSON.parse(json) as Partial<GeneratedSecrets>
  if (typeof secret !== 'string' || typeof jwtSecret !== 'string') throw new TypeError('secrets.json lacks a secret')
  return { secret, jwtSecret }
}
