// Run before the tests: the service as the build leaves it, and the tests in JavaScript under .build/.
// Types are not checked here, and no declarations written, which takes longer than all of it: `npm run types` does that.
import { exec } from 'node:child_process'
import { rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { sourcesIn, transpile } from './transpile.js'

const root = join(import.meta.dirname, '..')
const run = promisify(exec)
// What the compiler keeps beside its output, by which it knows that nothing is to be done.
const BUILDS = ['verifier/dist/.tsbuildinfo', 'dist/request-user/.tsbuildinfo', 'dist/.tsbuildinfo']

try {
  await run('npm run generate --silent', { cwd: root })
  if (!isCompiled()) await transpileService()
  await Promise.all([run('npm run postbuild --silent', { cwd: root }), transpileTests()])
} catch ({ message, stdout = '' }) {
  console.error(`${message}\n${stdout}`)
  process.exitCode = 1
}

/** Whether the compiler has been here since the sources changed. */
function isCompiled () {
  const written = Math.min(...BUILDS.map(timeOf))
  return [...sourcesIn('src'), ...sourcesIn('verifier/src')].every(file => timeOf(file) < written)
}

function timeOf (file) {
  return statSync(join(root, file), { throwIfNoEntry: false })?.mtimeMs ?? 0
}

async function transpileService () {
  // What is packed is the compiler's: it must not take these files for its own.
  for (const file of BUILDS) rmSync(join(root, file), { force: true })
  await transpile(sourcesIn('verifier/src'), { outdir: 'verifier/dist', outbase: 'verifier/src', tsconfig: 'verifier/tsconfig.json' })
  await transpile(sourcesIn('src'), { outdir: 'dist', outbase: 'src', tsconfig: 'tsconfig.json' })
}

async function transpileTests () {
  // Those in test/types/ are read by the compiler alone.
  const sources = ['src', 'verifier/src', 'test'].flatMap(sourcesIn).filter(file => !/^test[\\/]types[\\/]/.test(file))
  await transpile(sources, { outdir: '.build', outbase: '.', sourcemap: true, sourcesContent: false, tsconfig: 'test/tsconfig.json' })
}
