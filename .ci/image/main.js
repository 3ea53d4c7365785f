// Does what the Dockerfile says, without an engine: plays its stages in a clean copy, starts what comes out of them
// and checks that it serves. With DATABASE_URL the service runs as in production, on a database of its own.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { readDockerfile } from './read-dockerfile.js'
import { copyContext } from './build-context.js'
import { buildStages, checkLock } from './build-stages.js'
import { tryService } from './try-service.js'

const project = join(import.meta.dirname, '../..')
const { DATABASE_URL: server, REDIS_URL: redisUrl } = process.env
const work = mkdtempSync(join(tmpdir(), 'countersign-image-'))
const context = join(work, 'context')
try {
  const stages = readDockerfile(join(project, 'Dockerfile'))
  mkdirSync(context)
  copyContext(project, context)
  const image = buildStages(stages, { context, work })
  checkLock(context, image)
  console.log('-- the service')
  const { steps } = stages.at(-1)
  if (server === undefined) await tryService({ ...image, env: { ...image.env, ALLOW_EMBEDDED_DATABASE: 'true' } }, steps, {})
  else await withDatabase(server, databaseUrl => tryService(image, steps, { databaseUrl, redisUrl }))
} catch (error) {
  console.error(`The image: ${error instanceof Error ? error.message : error}`)
  process.exitCode = 1
} finally {
  rmSync(work, { recursive: true, force: true })
}

async function withDatabase (url, use) {
  const name = `image_${process.pid}`
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(`CREATE DATABASE ${name}`)
    await use(Object.assign(new URL(url), { pathname: `/${name}` }).href)
  } finally {
    await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
    await client.end()
  }
}
