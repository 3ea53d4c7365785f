import { Problem } from '../errors.ts'
import type { Propagation } from './propagation.ts'

/**
 * @param maxStaleness seconds that may have passed since the last completed read of the ledger began
 * @returns throws Problem 503 when more have: nobody can say then what has been revoked
 */
export function createFreshnessCheck ({ age }: Pick<Propagation, 'age'>, maxStaleness: number): () => void {
  return () => {
    if (age() > maxStaleness * 1000) throw new Problem('unavailable', { cause: new Error('What is known of revocations is too old to answer by') })
  }
}
