import { createConnection } from 'node:net'

export interface ProbedLock { state: 'asking' | 'holding', pid: string | undefined }

const ANSWER_MS = 2_000

/**
 * Asks the process behind a claim's socket for its state; `undefined` where there is no such process any more. A process
 * too busy to answer still has its socket open, and counts as holding. One that hangs up without an answer is giving its
 * claim up: it holds nothing, and can be asked again.
 */
export function probeLock (path: string): Promise<ProbedLock | undefined> {
  return new Promise(resolve => {
    let text = ''
    let wordless: ProbedLock['state'] = 'asking'
    const socket = createConnection(path)
    socket.setEncoding('utf8').setTimeout(ANSWER_MS, () => { wordless = 'holding'; socket.destroy() })
    socket.on('data', (part: string) => { text += part })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT') resolve(undefined)
      if (error.code !== 'ECONNRESET') wordless = 'holding'
    })
    socket.on('close', () => {
      const [, state = wordless, pid] = /^(asking|holding) (\d+)$/.exec(text) ?? []
      resolve({ state: state === 'asking' ? 'asking' : 'holding', pid })
    })
  })
}
