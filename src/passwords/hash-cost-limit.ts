import type { Argon2idCost } from './argon2id-hash.ts'

const MEMORY_KIB = 256 * 1024
const WORK_KIB = 1024 * 1024
const ITERATIONS = 64
const LANES = 16

/**
 * How much a stored hash may cost before it is not verified at all: a row is data, and one that says 4 GiB must not
 * take the machine down. 256 MiB at once, 1 GiB over all passes (27 hashes of the default cost), 64 passes and 16 lanes
 * leave room for the common imports, or as much as the current cost where that is more. Passes count by themselves too,
 * because each starts four threads a lane, however little memory it goes over.
 *
 * @returns whether a cost is one argon2 accepts (RFC 9106 §3.1: at least 8 KiB a lane), under the ceiling
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
