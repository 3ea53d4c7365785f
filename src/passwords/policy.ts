import { isCommonPassword } from './is-common-password.ts'
import { guessableWords, inOneWord, isMadeOf, partsOfEmail } from './personal-words.ts'

/** Why a password is refused. */
export interface PasswordWeakness {
  code: 'malformed' | 'too_short' | 'too_long' | 'too_common' | 'breached' | 'contains_email' | 'contains_name' | 'contains_service_name'
  /** One sentence for the user. It never repeats the password. */
  message: string
}

export interface PasswordContext {
  email?: string | undefined
  name?: string | undefined
  /** All that the service is called. */
  serviceNames: readonly string[]
  /** In code points. */
  minLength?: number
}

const MIN_CODE_POINTS = 8
const MAX_CODE_POINTS = 128
const MAX_BYTES = 512

/**
 * Checks a new password against the policy (NIST SP 800-63B-4 §3.1.1.2, ASVS 5.0 V6.2). It is taken exactly as sent, neither
 * trimmed nor normalised, and may have any characters, spaces included. Only a lone surrogate is refused: it has no UTF-8 form
 * and would be hashed as U+FFFD, like every other lone surrogate.
 *
 * @returns the first weakness, or `undefined` if there is none
 */
export function assessPassword (password: string, context: PasswordContext): PasswordWeakness | undefined {
  const { email = '', name = '', serviceNames, minLength = MIN_CODE_POINTS } = context
  if (Buffer.byteLength(password) > MAX_BYTES) return tooLong
  if (!password.isWellFormed()) return malformed

  const length = [...password].length
  if (length < minLength) return { code: 'too_short', message: `The password must have at least ${minLength} characters.` }
  if (length > MAX_CODE_POINTS) return tooLong
  if (isCommonPassword(password)) return tooCommon

  const sources = [
    { words: guessableWords(...partsOfEmail(email)), weakness: madeOfEmail },
    { words: guessableWords(name), weakness: madeOfName },
    { words: guessableWords(...serviceNames, ...serviceNames.map(inOneWord)), weakness: madeOfServiceName }
  ]
  if (!isMadeOf(sources.flatMap(({ words }) => words), password)) return undefined
  // Made of words from several sources: the address stands for all.
  return sources.find(({ words }) => isMadeOf(words, password))?.weakness ?? madeOfEmail
}

const malformed: PasswordWeakness = { code: 'malformed', message: 'The password is not valid Unicode text.' }
const tooLong: PasswordWeakness = { code: 'too_long', message: `The password may have at most ${MAX_CODE_POINTS} characters and ${MAX_BYTES} bytes.` }
/** For a password that others know from a breach; the policy itself asks nobody. */
export const breached: PasswordWeakness = { code: 'breached', message: 'This password is known from a data breach.' }
const tooCommon: PasswordWeakness = { code: 'too_common', message: 'This password is too common.' }
const madeOfEmail: PasswordWeakness = { code: 'contains_email', message: 'The password is made of the e-mail address.' }
const madeOfName: PasswordWeakness = { code: 'contains_name', message: 'The password is made of the name.' }
const madeOfServiceName: PasswordWeakness = { code: 'contains_service_name', message: "The password is made of the service's name." }
