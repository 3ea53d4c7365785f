import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import type { Test } from 'tap'

/** What answers as Redis does (RESP), and says to each command what a test decides. */
export interface RespServer {
  readonly url: string
  /** The reply to commands of a name, as it is sent; by default `+OK`. */
  answer (command: string, reply: string): void
  /** The names of the commands so far, in lower case. */
  readonly asked: readonly string[]
}

/** Starts it; it stops when the test ends. */
export async function startRespServer (t: Test): Promise<RespServer> {
  const replies = new Map([['info', '$17\r\nredis_version:7\r\n\r\n'], ['ping', '+PONG\r\n']])
  const asked: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket)
    let rest = ''
    socket.on('error', () => {}).on('close', () => sockets.delete(socket)).on('data', chunk => {
      rest += chunk.toString('latin1')
      for (let command = readCommand(rest); command !== undefined; command = readCommand(rest)) {
        rest = rest.slice(command.length)
        asked.push(command.name)
        socket.write(replies.get(command.name) ?? '+OK\r\n', 'latin1')
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    answer: (command, reply) => { replies.set(command, reply) },
    asked
  }
}

/** The first command of what was received: an array of bulk strings. */
function readCommand (received: string): { name: string, length: number } | undefined {
  const words: string[] = []
  const [header, count] = /^\*(\d+)\r\n/.exec(received) ?? []
  if (header === undefined) return undefined
  let at = header.length
  while (words.length < Number(count)) {
    const [bulk, size] = /^\$(\d+)\r\n/.exec(received.slice(at)) ?? []
    if (bulk === undefined) return undefined
    const start = at + bulk.length
    at = start + Number(size) + 2
    if (received.length < at) return undefined
    words.push(received.slice(start, at - 2))
  }
  return { name: words[0]?.toLowerCase() ?? '', length: at }
}
