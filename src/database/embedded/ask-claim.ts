import { createConnection } from 'node:net'

export interface Answer { state: 'asking' | 'holding', pid: string | undefined }

const ANSWER_MS = 2_000

/**
 * Asks the process behind a claim's socket. Undefined means that nobody is there any more. A process too busy to
 * answer still has its socket open, and counts as holding. One that hangs up without a word is giving its claim up:
 * it holds nothing, and is there to be asked again.
 */
export function askClaim (path: string): Promise<Answer | undefined> {
  return new Promise(resolve => {
    let text = ''
    let wordless: Answer['state'] = 'asking'
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
