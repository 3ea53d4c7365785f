import t from 'tap'
import { openTestDatabase } from '../support/database.ts'

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

t.test('an error names no value of a parameter', async t => {
  const { query } = await openTestDatabase(t)
  const failed = await query({ name: 'test.cast', text: 'SELECT 1 / length($1::text) - 1 / (length($1::text) - 6)' }, ['secret']).catch((error: unknown) => error)
  t.match(failed, { code: '22012' })
  t.notMatch(JSON.stringify(failed, Object.getOwnPropertyNames(failed)), 'secret')
})

t.test('values of every type come back as they were', async t => {
  const { query } = await openTestDatabase(t)
  const values = ['text', 7, true, new Date('2026-01-02T03:04:05.678Z'), Buffer.from([0, 255]), { a: [1] }, ['a', 'b,"c'], [1.5, 2], null]
  const [row] = await query<Record<string, unknown>>({
    name: 'test.types',
    text: 'SELECT $1::text AS a, $2::int AS b, $3::bool AS c, $4::timestamptz AS d, $5::bytea AS e, $6::jsonb AS f, $7::text[] AS g, $8::float8[] AS h, $9::text AS i'
  }, values)
  t.same(Object.values(row ?? {}).map(value => value instanceof Uint8Array ? Buffer.from(value) : value), values)
})

t.test('a statement waits for a transaction that is under way', async t => {
  const { prisma, query } = await openTestDatabase(t)
  const order: string[] = []
  let other: Promise<unknown> = Promise.resolve()
  await prisma.$transaction(async transaction => {
    await transaction.$executeRawUnsafe("INSERT INTO users (id, email, updated_at) VALUES (gen_random_uuid(), 'ada@example.com', now())")
    other = query<{ n: number }>({ name: 'test.count', text: 'SELECT count(*)::int AS n FROM users' }, []).then(([row]) => order.push(`read ${row?.n}`))
    await transaction.$executeRawUnsafe('SELECT 1')
    order.push('transaction')
  })
  await other
  // PostgreSQL answers on another connection, which sees nothing of it; the engine has one.
  t.ok(['transaction,read 1', 'read 0,transaction'].includes(order.join()), order.join())
})
