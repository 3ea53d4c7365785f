// Run after the build: joins what the package ships into a few files.
//
// dist/bin/ is the command line with all that it imports: reading a thousand modules one by one is most of what a start would
// cost. All of it is one script in CommonJS, for V8 takes compiled code (scripts/compile-bundle.js) only with scripts; the
// query compiler of Prisma, two megabytes that few requests need, is a file of its own. dist/plugin/ is what a host
// application imports; its dependencies stay packages, so that the host has one copy of each and gets their fixes. Only
// Prisma's client is inside: it belongs to the client generated here, to the very version, and brings the query compilers of
// eight databases, 70 MB, of which one is used.
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { isBuiltin } from 'node:module'
import { basename, join } from 'node:path'
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

// The program as a script: one function, which scripts/load-bundle.js calls. Node 20 has no navigator, and without one pg makes a
// Response to find out whether it runs at Cloudflare: that would load all of fetch at every start, a tenth of its time.
const SCRIPT = `(function (exports, require, module, __filename, __dirname) {
const navigator = { userAgent: 'Node.js' }
const { pathToFileURL: __toUrl } = require('node:url')
const __url = __toUrl(__filename).href
const __resolve = name => __toUrl(require.resolve(name)).href`
const QUERY_COMPILER = '@prisma/client/runtime/query_compiler_small_bg.postgresql.wasm-base64.mjs'

await bundleCommand()
await bundlePlugin()

async function bundleCommand () {
  const outdir = await emptied('bin')
  const external = APART
  const program = await bundle({
    entryPoints: { program: 'dist/cli/program.js' },
    entryNames: '[name]-[hash]',
    outExtension: { '.js': '.cjs' },
    outdir,
    external,
    format: 'cjs',
    define: { 'import.meta.url': '__url', 'import.meta.resolve': '__resolve' },
    // What V8 did not compile itself has no import().
    supported: { 'dynamic-import': false },
    banner: { js: SCRIPT },
    footer: { js: '})' },
    plugins: [apart(/wasm-base64/, './query-compiler.cjs')]
  })
  const [file] = Object.keys(program.outputs)
  const compiler = await bundle({ entryPoints: { 'query-compiler': QUERY_COMPILER }, outExtension: { '.js': '.cjs' }, outdir, format: 'cjs' })
  const main = await bundle({ entryPoints: ['dist/cli/main.js'], outdir, external, plugins: [loaded('./program.js', basename(file))] })
  await writeLicenses(outdir, [program, compiler, main])
}

async function bundlePlugin () {
  const outdir = await emptied('plugin')
  await writeLicenses(outdir, [await bundle({ entryPoints: ['dist/index.js'], outdir, external: installed, splitting: true, banner: { js: COMMON_JS } })])
}

async function bundle (options) {
  const { metafile } = await build({
    absWorkingDir: root,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
    ...options
  })
  refuseMissing(metafile)
  return metafile
}

/** An esbuild plugin: leaves out what is imported by that name, for another file has it. */
function apart (filter, path) {
  return { name: 'apart', setup: ({ onResolve }) => onResolve({ filter, namespace: 'file' }, () => ({ path, external: true })) }
}

/** An esbuild plugin: what is imported by that name is loaded from a bundle instead. */
function loaded (name, bundle) {
  const contents = `
    import { fileURLToPath } from 'node:url'
    import { loadBundle } from './scripts/load-bundle.js'
    export const { runProgram } = loadBundle(fileURLToPath(new URL(${JSON.stringify(bundle)}, import.meta.url))).exports`
  return {
    name: 'loaded',
    setup ({ onResolve, onLoad }) {
      onResolve({ filter: new RegExp(`^${name.replaceAll('.', '[.]')}$`) }, () => ({ path: name, namespace: 'loaded' }))
      onLoad({ filter: /./, namespace: 'loaded' }, () => ({ contents, resolveDir: root }))
    }
  }
}

// Compiled code stays: the same bundle takes it again.
async function emptied (name) {
  const outdir = join(root, 'dist', name)
  for (const file of await readdir(outdir).catch(() => [])) if (!file.endsWith('.code')) await rm(join(outdir, file))
  return outdir
}

async function writeLicenses (outdir, metafiles) {
  await writeFile(join(outdir, 'THIRD-PARTY-LICENSES.txt'), await thirdPartyLicenses(root, metafiles.flatMap(({ inputs }) => Object.keys(inputs))))
}

/** An installed package has what package.json names under `dependencies`, and nothing else. */
function refuseMissing ({ outputs }) {
  const imported = Object.values(outputs).flatMap(({ imports }) => imports).filter(({ external, path }) => external && !isBuiltin(path) && !path.startsWith('.'))
  const missing = imported.map(({ path }) => path.split('/').slice(0, path.startsWith('@') ? 2 : 1).join('/')).filter(name => ![...installed, ...OPTIONAL].includes(name))
  if (missing.length > 0) throw new Error(`Not bundled, and not in "dependencies": ${[...new Set(missing)].join(', ')}`)
}
