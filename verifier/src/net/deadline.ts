/** A signal that aborts when its time has come, or with another. */
export interface Deadline {
  readonly signal: AbortSignal
  /** Gives it its whole time again. */
  extend (): void
  /** Lets it be. */
  clear (): void
}

/**
 * @param milliseconds until it aborts
 * @param reason what it aborts with
 * @param closing aborts it too
 */
export function createDeadline (milliseconds: number, reason: string, closing: AbortSignal): Deadline {
  const controller = new AbortController()
  const close = () => controller.abort(closing.reason)
  const timer = setTimeout(() => controller.abort(new Error(reason)), milliseconds)
  closing.addEventListener('abort', close, { once: true })
  if (closing.aborted) close()

  return {
    signal: controller.signal,
    extend: () => { timer.refresh() },
    clear () {
      clearTimeout(timer)
      closing.removeEventListener('abort', close)
    }
  }
}
