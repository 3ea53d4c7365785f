import { execFile } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { SERVE_FLAGS } from '../../src/cli/serve-flags.js'

const root = new URL('../../../', import.meta.url)

/** Loads the bundle as dist/bin/main.js does. @returns whether V8 took the compiled code of the build, and what the bundle exports */
async function load (flags: readonly string[]): Promise<{ taken: boolean, exported: string[] }> {
  const [name] = (await readdir(new URL('dist/bin/', root))).filter(file => file.endsWith('.cjs'))
  const program = `
    import { loadBundle } from ${JSON.stringify(new URL('scripts/load-bundle.js', root).href)}
    const { script, exports } = loadBundle(${JSON.stringify(fileURLToPath(new URL(`dist/bin/${name}`, root)))})
    console.log(JSON.stringify({ taken: script.cachedDataRejected === false, exported: Object.keys(exports) }))`
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, '--input-type=module', '--eval', program])
  return JSON.parse(stdout)
}

t.test('serve starts from the code that the build has compiled', async t => {
  t.strictSame(await load(SERVE_FLAGS), { taken: true, exported: ['runProgram'] })
})

t.test('compiled code of another V8, or of other flags, is refused, and the bundle runs all the same', async t => {
  t.strictSame(await load([...SERVE_FLAGS, '--no-lazy-feedback-allocation']), { taken: false, exported: ['runProgram'] })
})
