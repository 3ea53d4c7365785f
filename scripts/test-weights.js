import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const file = join(import.meta.dirname, 'test-weights.json')
const all = JSON.parse(readFileSync(file, 'utf8'))

/**
 * @param {string} directory where the tests were gathered, such as `on-postgres`, or else their room
 * @returns {Record<string, number>} roughly the seconds that a test of it takes, by its name, where they are two or more, as
 * scripts/weigh-tests.js counted them
 */
export function weightsOf (directory) {
  return all[directory] ?? {}
}

/** Keeps those of each directory that was weighed; the others stay as they were. */
export function writeWeights (weighed) {
  writeFileSync(file, `${JSON.stringify({ ...all, ...weighed }, null, 2)}\n`)
}
