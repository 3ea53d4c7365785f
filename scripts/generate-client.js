// Generates Prisma's client, unless it is there, and says nothing unless it fails: Prisma tells of its configuration whatever it is told.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const require = createRequire(import.meta.url)
const root = join(import.meta.dirname, '..')
const stamp = join(root, 'src/generated/.made-of')
const sources = [require.resolve('prisma/package.json'), ...['prisma/schema.prisma', 'prisma.config.ts'].map(name => join(root, name))]
const madeOf = sources.reduce((hash, file) => hash.update(readFileSync(file)), createHash('sha256')).digest('hex')

if (read(stamp) !== madeOf) generate()

function generate () {
  // Interrupted, it is not taken for whole.
  rmSync(stamp, { force: true })
  const { status, stdout, stderr } = spawnSync(process.execPath, [require.resolve('prisma/build/index.js'), 'generate', '--no-hints'], { cwd: root, encoding: 'utf8' })
  if (status === 0) writeFileSync(stamp, madeOf)
  else process.stderr.write(`${stdout ?? ''}${stderr ?? ''}`)
  process.exitCode = status ?? 1
}

function read (file) {
  try {
    return readFileSync(file, 'utf8')
  } catch {}
}
