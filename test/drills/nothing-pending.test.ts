import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import t from 'tap'
import { migrate } from '../../src/database/migrate.ts'
import { silent } from '../support/database.ts'
import { NODE_FLAGS } from '../support/node-flags.ts'

const migration = { name: '1_things', sql: 'CREATE TABLE things (id int)', checksum: 'abc' }

t.test('with nothing pending a start costs one SELECT and takes no lock', async t => {
  const statements: string[] = []
  const session = {
    async rows<Row> (text: string) {
      statements.push(text)
      const records: unknown[] = [{ migration_name: '1_things', checksum: 'abc', finished_at: new Date() }]
      return records as Row[]
    },
    async script (sql: string) { statements.push(sql) }
  }
  t.same(await migrate(session, [migration], silent), [])
  t.equal(statements.length, 1)
  t.match(statements[0], /^SELECT .* FROM _prisma_migrations/)
})

t.test('the migrations make what schema.prisma asks for', async t => {
  const script = new URL('prisma/new-migration.js', import.meta.resolve('countersign/package.json'))
  const { stdout } = await promisify(execFile)(process.execPath, [...NODE_FLAGS, script.pathname, '--check'], { env: { PATH: process.env.PATH } })
  t.match(stdout, 'The migrations already make what schema.prisma asks for.')
})
