import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

// Prints every module a process asks for.
const TRACER = `data:text/javascript,${encodeURIComponent(`
  import { register } from 'node:module'
  register('data:text/javascript,' + encodeURIComponent(\`
    import { writeSync } from 'node:fs'
    export async function resolve (specifier, context, next) {
      writeSync(1, 'module ' + specifier + '\\\\n')
      return next(specifier, context)
    }\`))`)}`

/**
 * Runs a script in a process of its own, where `process.argv[1]` is the URL of a module and `process.argv[2]` a value as JSON.
 *
 * @returns what it printed, with a line `module <specifier>` for every module that was asked for
 */
export async function runTraced (script: string, module: URL, value: unknown): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--import', TRACER, '--input-type=module', '--eval', script, module.href, JSON.stringify(value)
  ], { env: { PATH: process.env.PATH } })
  return stdout
}
