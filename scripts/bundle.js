// Run after the build: joins the command line, and what it imports, into a few files under dist/bin/. Reading a thousand
// modules one by one is most of what a start would cost. What is imported where it is needed stays apart, and so does
// what reads files of its own package: native code, the API page, the embedded database.
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { build } from 'esbuild'

const root = join(import.meta.dirname, '..')
const outdir = join(root, 'dist/bin')

// Modules in CommonJS expect these three; a module does not have them.
const COMMON_JS = `
import { createRequire as requireOf } from 'node:module'
import { dirname as directoryOf } from 'node:path'
import { fileURLToPath as pathOf } from 'node:url'
const require = requireOf(import.meta.url)
const __filename = pathOf(import.meta.url)
const __dirname = directoryOf(__filename)`

await rm(outdir, { recursive: true, force: true })
await build({
  entryPoints: [join(root, 'dist/cli/main.js')],
  outdir,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  external: ['argon2', '@electric-sql/pglite', 'pglite-prisma-adapter', '@fastify/swagger-ui', 'ioredis', 'pino-pretty'],
  banner: { js: COMMON_JS },
  legalComments: 'linked',
  logLevel: 'warning'
})
