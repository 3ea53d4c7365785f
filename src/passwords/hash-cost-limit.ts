import type { Argon2idCost } from './argon2id-hash.ts'

const MEMORY_KIB = 256 * 1024
const WORK_KIB = 1024 * 1024
const ITERATIONS = 64
const LANES = 16

/**
 * Limits the cost of a stored hash that is verified: a row that asks for 4 GiB must not take the machine down. 256 MiB at once,
 * 1 GiB over all passes (27 hashes of the default cost), 64 passes and 16 lanes leave room for imported hashes; a higher
 * current cost raises the limit. Passes have a limit of their own, because each starts four threads a lane, however little
 * memory it covers.
 *
 * @returns whether argon2 accepts a cost (RFC 9106 §3.1: at least 8 KiB a lane) and it is within the limit
 */
export function createHashCostLimit (current: Argon2idCost): (cost: Argon2idCost) => boolean {
  const memory = Math.max(MEMORY_KIB, current.memoryKiB)
  const work = Math.max(WORK_KIB, current.memoryKiB * current.iterations)
  const passes = Math.max(ITERATIONS, current.iterations)
  const lanes = Math.max(LANES, current.parallelism)

  return ({ memoryKiB, iterations, parallelism }) =>
    memoryKiB >= 8 * parallelism && memoryKiB <= memory && memoryKiB * iterations <= work &&
    iterations <= passes && parallelism <= lanes
}
