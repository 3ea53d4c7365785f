import t from 'tap'
import { openDatabase } from '../../src/database/open-database.ts'
import { countersign } from '../../src/index.ts'
import { onPostgres, silent } from '../support/database.ts'
import { ADA, bareHost, pluginOptions, registerAda } from './host.ts'

t.test('a host\'s own logger is given no row that the database refuses', onPostgres, async t => {
  const lines: string[] = []
  const host = bareHost(t, { logger: { stream: { write: line => { lines.push(line) } } } })
  const options = await pluginOptions(t)
  await host.register(countersign, options)
  await registerAda(host)
  const database = await openDatabase({ url: options.databaseUrl ?? '', dataDir: options.dataDir ?? '', log: silent })
  t.teardown(() => database.close())
  await database.query({ name: 'refuse', text: 'ALTER TABLE users ADD CONSTRAINT refused CHECK (false) NOT VALID' }, [])

  const { statusCode } = await host.inject({ method: 'POST', url: '/auth/register', payload: { ...ADA, email: 'grace@example.com' } })
  t.equal(statusCode, 500)
  const failure = lines.find(line => line.includes('23514')) ?? ''
  t.match(failure, 'refused', 'the constraint is named')
  for (const secret of ['grace@example.com', 'argon2id']) t.notMatch(lines.join(''), secret)
})
