import t from 'tap'
import { isDatabaseUnavailable } from '../../src/database/errors.ts'
import { openDatabase } from '../../src/database/open-database.ts'
import { databaseUrl, openTestDatabase, silent, testDatabase } from '../support/database.ts'

// On both: the embedded engine is to do what a connection to PostgreSQL does.
t.test('a statement is planned once, and an error leaves it and the others as they were', async t => {
  const { query } = await openTestDatabase(t)
  const divide = { name: 'test.divide', text: 'SELECT $1::int / $2::int AS quotient' }
  t.same(await query(divide, [6, 2]), [{ quotient: 3 }])
  await t.rejects(query(divide, [6, 0]), { code: '22012' })
  t.same(await query(divide, [8, 2]), [{ quotient: 4 }])
  await t.rejects(query({ name: 'test.wrong', text: 'SELECT nothing FROM nowhere' }, []), { code: '42P01' })
  await t.rejects(query({ name: 'test.wrong', text: 'SELECT nothing FROM nowhere' }, []), { code: '42P01' }, 'what could not be prepared is not taken for prepared')
  t.same(await query(divide, [10, 2]), [{ quotient: 5 }])
})

t.test('a name stands for one text, and a value that is none of its type leaves the statement as it was', async t => {
  const { query } = await openTestDatabase(t)
  const double = { name: 'test.double', text: 'SELECT 2 * $1::int AS twice' }
  t.same(await query(double, [2]), [{ twice: 4 }])
  await t.rejects(query(double, ['many']), { code: '22P02' })
  t.same(await query(double, [3]), [{ twice: 6 }])
  await t.rejects(query({ name: 'test.double', text: 'SELECT 3 * $1::int AS thrice' }, [2]))
})

t.test('a statement whose columns have changed is prepared anew', async t => {
  const { query } = await openTestDatabase(t)
  const run = (name: string, text: string) => query({ name: `test.${name}`, text }, [])
  await run('create', 'CREATE TABLE shelf (book text)')
  const all = () => run('all', 'SELECT * FROM shelf')
  await run('insert', "INSERT INTO shelf VALUES ('Emma')")
  t.same(await all(), [{ book: 'Emma' }])
  await run('alter', 'ALTER TABLE shelf ADD year int')
  // PostgreSQL has the name still on the connection; the driver never lets go of it.
  await all().catch((error: unknown) => { t.match(error, { code: '0A000' }) })
  if (databaseUrl === undefined) t.same(await all(), [{ book: 'Emma', year: null }])
})

t.test('what is asked of a closed database fails as in an outage', async t => {
  const database = await openDatabase({ ...await testDatabase(t), log: silent })
  const ask = async () => database.query({ name: 'test.one', text: 'SELECT 1 AS one' }, []).catch((error: unknown) => error)
  t.same(await ask(), [{ one: 1 }])
  // The engine has one connection, on which these wait; a pool is never closed before what it was asked.
  const asked = databaseUrl === undefined ? Array.from({ length: 20 }, ask) : []
  await database.close()
  for (const found of await Promise.all(asked)) t.ok(Array.isArray(found) || isDatabaseUnavailable(found))
  t.ok(isDatabaseUnavailable(await ask()))
})

t.test('an error names no value of a parameter', async t => {
  const { query } = await openTestDatabase(t)
  const failed = await query({ name: 'test.cast', text: 'SELECT 1 / length($1::text) - 1 / (length($1::text) - 6)' }, ['secret']).catch((error: unknown) => error)
  t.match(failed, { code: '22012' })
  t.notMatch(JSON.stringify(failed, Object.getOwnPropertyNames(failed)), 'secret')
})

t.test('values of every type come back as they were', async t => {
  const { query } = await openTestDatabase(t)
  const values = ['text "\\ \u2028 \u{1f600}', 7, true, new Date('2026-01-02T03:04:05.678Z'), Buffer.from([0, 255]), { a: [1] }, ['a', 'b,"c'], [1.5, 2], null, 9007199254740993n, [], '0197f1a2-0000-7000-8000-000000000001']
  const [row] = await query<Record<string, unknown>>({
    name: 'test.types',
    text: 'SELECT $1::text AS a, $2::int AS b, $3::bool AS c, $4::timestamptz AS d, $5::bytea AS e, $6::jsonb AS f, $7::text[] AS g, $8::float8[] AS h, $9::text AS i, $10::int8 AS j, $11::text[] AS k, $12::uuid AS l'
  }, values)
  t.same(Object.values(row ?? {}).map(value => value instanceof Uint8Array ? Buffer.from(value) : value), values)
})

t.test('a statement sees nothing of a transaction that is under way', async t => {
  const { prisma, query } = await openTestDatabase(t)
  const order: string[] = []
  const read = async () => {
    const [row] = await query<{ n: number }>({ name: 'test.count', text: 'SELECT count(*)::int AS n FROM users' }, [])
    order.push(`read ${row?.n}`)
  }
  let asked: Promise<void> = Promise.resolve()
  await prisma.$transaction(async transaction => {
    await transaction.$executeRawUnsafe("INSERT INTO users (id, email, updated_at) VALUES (gen_random_uuid(), 'ada@example.com', now())")
    asked = read()
    // PostgreSQL answers at once, on another connection. The engine has one: there the statement waits for the end.
    if (databaseUrl !== undefined) await asked
    await transaction.$executeRawUnsafe('SELECT 1')
    order.push('transaction')
  })
  await asked
  t.same(order, databaseUrl === undefined ? ['transaction', 'read 1'] : ['read 0', 'transaction'])
})
