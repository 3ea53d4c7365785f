/**
 * Retry delays in milliseconds that double up to `longest`, each with random jitter between half and all of it: clients
 * that lost one service together do not return to it together.
 */
export function createBackoff ({ first, longest }: { first: number, longest: number }) {
  let delay = first

  return {
    next (): number {
      const jittered = delay * (1 + Math.random()) / 2
      delay = Math.min(delay * 2, longest)
      return jittered
    },
    reset (): void {
      delay = first
    }
  }
}
