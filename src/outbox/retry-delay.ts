const FIRST = 5
const LONGEST = 600
const SPREAD = 0.2

/**
 * How long to wait before the next attempt: 5 s, doubled each time, at most 10 min; a fifth more or less, so that messages
 * that failed together are not tried together.
 *
 * @param attempts how many have failed
 * @param random from 0 to 1
 * @returns seconds
 */
export function retryDelay (attempts: number, random: () => number = Math.random): number {
  return Math.min(FIRST * 2 ** (attempts - 1) * (1 - SPREAD + 2 * SPREAD * random()), LONGEST)
}
