import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'

export interface TcpProxy {
  /** The given URL, through the proxy. */
  url: string
  /** Resets every connection and refuses new ones. */
  cut: () => Promise<void>
  /** Keeps every connection open and lets nothing through, as a dropped route does. New ones are taken and stay silent. */
  freeze: () => void
  /** Undoes a cut or a freeze; what was frozen stays lost. */
  heal: () => Promise<void>
  /** Leads new connections to another server; those that there are stay where they are. */
  lead: (target: string) => void
  close: () => Promise<void>
}

/** A wire to a database that a test can break. */
export async function tcpProxy (target: string): Promise<TcpProxy> {
  let url = new URL(target)
  const pairs = new Set<[Socket, Socket]>()
  let frozen = false

  const server = createServer(near => {
    const far = connect(Number(url.port || 5432), url.hostname)
    const pair: [Socket, Socket] = [near, far]
    pairs.add(pair)
    near.on('error', () => {}).on('close', () => { far.destroy(); pairs.delete(pair) })
    far.on('error', () => {}).on('close', () => near.destroy())
    if (frozen) return
    near.pipe(far).pipe(near)
  })
  await listen(0)
  const { port } = server.address() as AddressInfo

  function listen (onPort: number) {
    return new Promise<void>(resolve => { server.listen(onPort, '127.0.0.1', resolve) })
  }

  async function cut () {
    const closed = new Promise(resolve => { server.close(resolve) })
    for (const [near, far] of pairs) {
      near.resetAndDestroy()
      far.destroy()
    }
    await closed
  }

  const through = new URL(url)
  through.hostname = '127.0.0.1'
  through.port = String(port)
  return {
    url: through.href,
    cut,
    freeze () {
      frozen = true
      for (const [near, far] of pairs) {
        near.unpipe()
        far.unpipe()
        near.pause()
        far.pause()
      }
    },
    async heal () {
      frozen = false
      if (!server.listening) await listen(port)
    },
    lead (other) { url = new URL(other) },
    close: async () => { if (server.listening) await cut() }
  }
}
