import type { FastifyInstance } from 'fastify'

/** What has been opened for an app and is to be closed again. */
export interface CloseStack {
  /** Has this closed too, before what was named earlier. */
  add (close: () => void | Promise<void>): void
  /** Closes everything at once, where the app will not come to be. What fails in that hides no cause. */
  closeAll (): Promise<void>
}

/** Closes what was opened, the last first, when the app closes. */
export function createCloseStack (app: FastifyInstance): CloseStack {
  const open: Array<() => void | Promise<void>> = []

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
    add: close => { open.push(close) },
    closeAll: () => closeAll().catch(() => {})
  }
}
