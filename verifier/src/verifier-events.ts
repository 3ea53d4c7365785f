import { EventEmitter } from 'node:events'
import type { VerifierWarning } from './errors.ts'
import type { VerifierEvents } from './types.ts'

/** The events of a verifier, and how they are emitted. */
export type EventSink = ReturnType<typeof createEventSink>

export function createEventSink () {
  const events = new EventEmitter<VerifierEvents>()
  events.setMaxListeners(0)

  /**
   * Calls every listener. What one throws becomes an uncaught exception of the app, and does not interrupt the verifier.
   *
   * @returns whether there is a listener
   */
  function emit<Name extends keyof VerifierEvents> (name: Name, ...args: VerifierEvents[Name]): boolean {
    const listeners = events.rawListeners(name)
    for (const listener of listeners) {
      try {
        Reflect.apply(listener, events, args)
      } catch (error) {
        queueMicrotask(() => { throw error })
      }
    }
    return listeners.length > 0
  }

  return {
    events,
    emit,
    warn (warning: VerifierWarning): void {
      if (!emit('warning', warning)) process.emitWarning(warning.message, { type: warning.name, code: warning.code })
    }
  }
}
