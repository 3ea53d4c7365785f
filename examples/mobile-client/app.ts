// How a mobile app uses its session. Node replaces the phone, a file the keychain.
//
//   npx tsc -p . && node app.js http://localhost:3000 ada@example.com 'correct horse battery'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { createSession, type Keychain } from './session.ts'

const [, , origin = 'http://localhost:3000', email = '', password = ''] = process.argv

const FILE = 'session.json'
const keychain: Keychain = {
  read: () => readFile(FILE, 'utf8').catch(() => null),
  write: text => writeFile(FILE, text, { mode: 0o600 }),
  clear: () => rm(FILE, { force: true })
}

const session = await createSession({ origin, keychain, onEnded: () => console.log('Please log in again.') })

if (await keychain.read() === null) await session.logIn(email, password)

const answer = await session.fetch(`${origin}/auth/me`)
console.log(await answer.text())
