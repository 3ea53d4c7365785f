import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import t from 'tap'
import { databaseUrl, testDatabase } from '../support/database.ts'

// Prints every module a process asks for.
const tracer = `data:text/javascript,${encodeURIComponent(`
  import { register } from 'node:module'
  register('data:text/javascript,' + encodeURIComponent(\`
    import { writeSync } from 'node:fs'
    export async function resolve (specifier, context, next) {
      writeSync(1, 'module ' + specifier + '\\\\n')
      return next(specifier, context)
    }\`))`)}`

const open = `
  const { openDatabase } = await import(process.argv[1])
  const log = { info () {}, warn () {}, error () {} }
  const database = await openDatabase({ ...JSON.parse(process.argv[2]), log })
  await database.close()`

async function modulesOf (options: object) {
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--import', tracer, '--input-type=module', '--eval', open,
    new URL('../../src/database/open-database.js', import.meta.url).href, JSON.stringify(options)
  ], { env: { PATH: process.env.PATH } })
  return stdout.split('\n').filter(line => line.startsWith('module ')).map(line => line.slice(7))
}

t.test('a process on one engine never loads the other', async t => {
  const modules = await modulesOf(await testDatabase(t))
  const [used, unused] = databaseUrl === undefined ? ['@electric-sql/pglite', 'pg'] : ['pg', '@electric-sql/pglite']
  t.ok(modules.includes(used), used)
  t.notOk(modules.includes(unused), unused)
})
