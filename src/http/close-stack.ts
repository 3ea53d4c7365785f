import type { FastifyInstance } from 'fastify'

type Close = () => void | Promise<void>

/** What is opened for an app and closed with it. */
export type CloseStack = ReturnType<typeof createCloseStack>

/** Closes what was opened when the app closes, in reverse order. */
export function createCloseStack (app: FastifyInstance) {
  const open: Close[] = []

  async function closeAll (): Promise<void> {
    const failures: unknown[] = []
    for (const close of open.splice(0).reverse()) {
      try {
        await close()
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length > 0) throw failures[0]
  }

  app.addHook('onClose', closeAll)
  return {
    /** Adds something that is closed before all that was added earlier. */
    add (close: Close): void {
      open.push(close)
    },
    /** Closes everything now, after a failed start. The cause of that is thrown, not what fails here. */
    closeAll: (): Promise<void> => closeAll().catch(() => {})
  }
}
