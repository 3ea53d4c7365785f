const FIRST = 1_000
const LONGEST = 60_000

/** A pause that doubles each time, from 1 s to 60 s, until something succeeds. */
export function createPause (now: () => number = () => performance.now()) {
  let length = 0
  let until = -Infinity
  const remaining = () => Math.max(0, until - now())

  return {
    /** Begins a pause, unless one lasts. */
    begin (): void {
      if (remaining() > 0) return
      length = Math.min(Math.max(length * 2, FIRST), LONGEST)
      until = now() + length
    },
    /** The next pause is the shortest again. */
    end (): void {
      length = 0
      until = -Infinity
    },
    /** Milliseconds. */
    remaining
  }
}
