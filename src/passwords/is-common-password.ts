import { COMMON_PASSWORDS } from './common-passwords-list.ts'

const SEQUENCES = ['0123456789', 'abcdefghijklmnopqrstuvwxyz', 'qwertyuiop', 'asdfghjkl', 'zxcvbnm']
const RUNS = SEQUENCES.flatMap(sequence => [sequence.repeat(2), [...sequence].reverse().join('').repeat(2)])
const REPETITION = /^(.{1,4})\1+$/su

let common: ReadonlySet<string> | undefined

/**
 * @returns whether a password is common: in the bundled list, up to four characters repeated, or a run of the alphabet, the
 * digits or a row of the keyboard (NIST SP 800-63B §3.1.1.2). Case makes no difference.
 */
export function isCommonPassword (password: string): boolean {
  const lower = password.toLowerCase()
  common ??= new Set(COMMON_PASSWORDS.split(' '))
  return common.has(lower) || REPETITION.test(lower) || RUNS.some(run => run.includes(lower))
}
