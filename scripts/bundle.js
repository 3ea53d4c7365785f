// Run after the build: joins what the package ships into a few files.
//
// dist/bin/ is the command line with all that it imports: reading a thousand modules one by one is most of what a start would
// cost. dist/plugin/ is what a host application imports; its dependencies stay packages, so that the host has one copy of
// each and gets their fixes. Only Prisma's client is inside: it belongs to the client generated here, to the very version,
// and brings the query compilers of eight databases, 70 MB, of which one is used.
import { readFile, rm, writeFile } from 'node:fs/promises'
import { isBuiltin } from 'node:module'
import { join } from 'node:path'
import { build } from 'esbuild'
import { thirdPartyLicenses } from './third-party-licenses.js'

const root = join(import.meta.dirname, '..')
const { dependencies, peerDependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
const installed = Object.keys({ ...dependencies, ...peerDependencies })

// Imported where it is needed, or reads files of its own package: native code, the API page, the embedded database.
const APART = ['argon2', '@electric-sql/pglite', '@fastify/swagger-ui', 'ioredis', 'pino-pretty']
// pg takes it where it is; nobody misses it.
const OPTIONAL = ['pg-native']

// Modules in CommonJS expect these three; a module does not have them.
const COMMON_JS = `
import { createRequire as requireOf } from 'node:module'
import { dirname as directoryOf } from 'node:path'
import { fileURLToPath as pathOf } from 'node:url'
const require = requireOf(import.meta.url)
const __filename = pathOf(import.meta.url)
const __dirname = directoryOf(__filename)`

await bundle('bin', 'dist/cli/main.js', APART)
await bundle('plugin', 'dist/index.js', installed)

async function bundle (name, entryPoint, external) {
  const outdir = join(root, 'dist', name)
  await rm(outdir, { recursive: true, force: true })
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [entryPoint],
    outdir,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    external,
    banner: { js: COMMON_JS },
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning'
  })
  refuseMissing(metafile)
  await writeFile(join(outdir, 'THIRD-PARTY-LICENSES.txt'), await thirdPartyLicenses(root, Object.keys(metafile.inputs)))
}

/** An installed package has what package.json names under `dependencies`, and nothing else. */
function refuseMissing ({ outputs }) {
  const imported = Object.values(outputs).flatMap(({ imports }) => imports).filter(({ external, path }) => external && !isBuiltin(path))
  const missing = imported.map(({ path }) => path.split('/').slice(0, path.startsWith('@') ? 2 : 1).join('/')).filter(name => ![...installed, ...OPTIONAL].includes(name))
  if (missing.length > 0) throw new Error(`Not bundled, and not in "dependencies": ${[...new Set(missing)].join(', ')}`)
}
