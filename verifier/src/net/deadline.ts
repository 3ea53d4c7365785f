export interface Deadline {
  readonly signal: AbortSignal
  /** Starts the time again. */
  extend (): void
  clear (): void
}

/**
 * A signal that aborts after a time, or with another signal.
 *
 * @param milliseconds until it aborts
 * @param reason the message of the error that it aborts with
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
    extend () {
      timer.refresh()
    },
    clear () {
      clearTimeout(timer)
      closing.removeEventListener('abort', close)
    }
  }
}
