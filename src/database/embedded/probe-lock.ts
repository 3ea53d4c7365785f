import { createConnection } from 'node:net'

export interface ProbedLock { state: 'asking' | 'holding', pid: string | undefined }

const ANSWER_MS = 2_000

/**
 * Asks the process behind a claim's socket for its state; `undefined` where there is no such process any more. A process
 * too busy to answer still has its socket open, and counts as holding.
 */
export function probeLock (path: string): Promise<ProbedLock | undefined> {
  return new Promise(resolve => {
    let text = ''
    const socket = createConnection(path)
    socket.setEncoding('utf8').setTimeout(ANSWER_MS, () => socket.destroy())
    socket.on('data', (part: string) => { text += part })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT') resolve(undefined)
    })
    socket.on('close', () => {
      const [, state, pid] = /^(asking|holding) (\d+)$/.exec(text) ?? []
      resolve({ state: state === 'asking' ? 'asking' : 'holding', pid })
    })
  })
}
