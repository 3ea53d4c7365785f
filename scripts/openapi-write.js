// Writes docs/openapi.json: what a service on this machine serves at /openapi.json. Needs the build, and no network.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readConfig } from '../dist/config.js'
import { createServer } from '../dist/server.js'

const target = join(import.meta.dirname, '../docs/openapi.json')
const dataDir = await mkdtemp(join(tmpdir(), 'countersign-openapi-'))
// The document has every route, and some exist only where what needs them is configured.
const EVERYTHING = { ALLOWED_REDIRECTS: 'https://app.example.com/welcome', GOOGLE_CLIENT_ID: 'web', GOOGLE_CLIENT_SECRET: 'secret', GOOGLE_NATIVE_CLIENT_IDS: 'app', GOOGLE_KEEP_TOKENS: 'true', CODE_LOGIN: 'true' }
const app = await createServer(readConfig({ DATA_DIR: dataDir, LOG_LEVEL: 'warn', ...EVERYTHING }))
try {
  await app.ready()
  await writeFile(target, `${JSON.stringify(app.swagger(), null, 2)}\n`)
} finally {
  await app.close()
  await rm(dataDir, { recursive: true })
}
