import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

// Below those that a system hands out by itself, so that no connection and no `listen(0)` of another process takes one before it
// is listened on; and above those that browsers refuse.
const LOWEST = 11_000
const HIGHEST = 32_000

/** A port of the loopback that nobody listens on at this moment. */
export async function freePort (): Promise<number> {
  const port = randomInt(LOWEST, HIGHEST)
  const server = createServer().listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return freePort()
    throw error
  }
  server.close()
  await once(server, 'close')
  return port
}
