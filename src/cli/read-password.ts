import { text } from 'node:stream/consumers'
import { emitKeypressEvents, type Key } from 'node:readline'

/**
 * Prompts for a password without echo. Where standard input is no terminal, reads the password from it, without the line break
 * at its end.
 */
export async function readPassword (prompt: string): Promise<string> {
  const { stdin } = process
  if (!stdin.isTTY) return (await text(stdin)).replace(/\r?\n$/, '')
  process.stderr.write(prompt)
  try {
    return await typed(stdin)
  } finally {
    stdin.setRawMode(false).pause()
    process.stderr.write('\n')
  }
}

function typed (stdin: NodeJS.ReadStream): Promise<string> {
  emitKeypressEvents(stdin)
  stdin.setRawMode(true).resume()
  return new Promise((resolve, reject) => {
    let password = ''
    function onKey (characters: string | undefined, { name, ctrl, meta }: Key): void {
      if (ctrl && (name === 'c' || name === 'd')) return finish(() => reject(new Error('Interrupted.')))
      if (name === 'return' || name === 'enter') return finish(() => resolve(password))
      if (name === 'backspace') password = [...password].slice(0, -1).join('')
      else if (characters !== undefined && !ctrl && !meta) password += characters
    }
    function finish (settle: () => void): void {
      stdin.off('keypress', onKey)
      settle()
    }
    stdin.on('keypress', onKey)
  })
}
