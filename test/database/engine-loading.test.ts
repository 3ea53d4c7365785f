import t from 'tap'
import { databaseUrl, testDatabase } from '../support/database.ts'
import { runTraced } from '../support/traced-process.ts'

const open = `
  const { openDatabase } = await import(process.argv[1])
  const log = { info () {}, warn () {}, error () {} }
  const database = await openDatabase({ ...JSON.parse(process.argv[2]), log })
  await database.close()`

async function modulesOf (options: object) {
  const stdout = await runTraced(open, new URL('../../src/database/open-database.js', import.meta.url), options)
  return stdout.split('\n').filter(line => line.startsWith('module ')).map(line => line.slice(7))
}

t.test('a process on one engine never loads the other', async t => {
  const modules = await modulesOf(await testDatabase(t))
  const [used, unused] = databaseUrl === undefined ? ['@electric-sql/pglite', 'pg'] : ['pg', '@electric-sql/pglite']
  t.ok(modules.includes(used), used)
  t.notOk(modules.includes(unused), unused)
})
