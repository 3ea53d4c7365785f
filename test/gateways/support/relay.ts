import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import type { Test } from 'tap'
import { freePort } from '../../support/free-port.ts'

/** Stands between a gateway and what it talks to, byte for byte, and can fail as a network does. */
export interface Relay {
  readonly port: number
  /** Connections that brought something, so far. */
  readonly used: number
  /** Accepts connections, and lets nothing through. */
  hang (): void
  /** Refuses connections, and cuts those that are open. */
  stop (): Promise<void>
  /** Lets everything through again. */
  start (): Promise<void>
}

/** @param choose the port that a connection is for, by the first bytes that come */
export async function startRelay (t: Test, choose: (start: string) => number): Promise<Relay> {
  const port = await freePort()
  const open = new Set<Socket>()
  let hangs = false
  let used = 0

  function accept (socket: Socket): void {
    keep(socket)
    socket.once('data', (start: Buffer) => {
      used += 1
      if (hangs) return
      const target = keep(connect(choose(start.toString('latin1')), '127.0.0.1'))
      target.write(start)
      socket.pipe(target).pipe(socket)
      socket.once('close', () => target.destroy())
      target.once('close', () => socket.destroy())
    })
  }

  function keep (socket: Socket): Socket {
    open.add(socket)
    // Whoever is cut off sees it for himself.
    return socket.on('error', () => {}).once('close', () => open.delete(socket))
  }

  function cut (): void {
    for (const socket of open) socket.destroy()
  }

  const server = createServer(accept)

  async function start (): Promise<void> {
    cut()
    hangs = false
    if (server.listening) return
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
  }

  async function stop (): Promise<void> {
    const closed = once(server, 'close')
    server.close()
    cut()
    await closed
  }

  await start()
  t.teardown(async () => { if (server.listening) await stop() })
  return {
    port,
    get used () { return used },
    hang () {
      cut()
      hangs = true
    },
    stop,
    start
  }
}
