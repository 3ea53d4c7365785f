/** How long to wait before trying again, in milliseconds. */
export interface Backoff {
  next (): number
  /** Begins anew, for it went well. */
  reset (): void
}

/**
 * Waits that double, each drawn at random between its half and its whole: what lost one service together does not come
 * back to it together.
 *
 * @param first milliseconds; @param longest milliseconds
 */
export function createBackoff ({ first, longest }: { first: number, longest: number }): Backoff {
  let wait = first

  return {
    next () {
      const drawn = wait * (1 + Math.random()) / 2
      wait = Math.min(wait * 2, longest)
      return drawn
    },
    reset () {
      wait = first
    }
  }
}
