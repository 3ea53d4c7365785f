import { randomUUID } from 'node:crypto'
import t from 'tap'
import { onPostgres, onServer, openTestDatabase, silent, testDatabase } from '../support/database.ts'
import { openDatabase } from '../../src/database/open-database.ts'
import type { Database } from '../../src/database/database.ts'

t.test('parameters and columns have the same shapes on every engine', async t => {
  const database = await openTestDatabase(t)
  const when = new Date('2026-07-01T12:34:56.789Z')
  const id = randomUUID()
  const values = [9007199254740993n, 42n, when, Buffer.from([0, 1, 254, 255]), id, null, [id], 'it\'s', true, 1.5, new Uint8Array([7])]
  const [row] = await database.query<Record<string, unknown>>({
    name: 'shapes',
    text: `SELECT $1::bigint AS huge, $2::bigint AS small, $3::timestamptz AS when, $4::bytea AS bytes, $5::uuid AS id,
      $6::text AS nothing, $7::uuid[] AS ids, $8::text AS text, $9::boolean AS yes, $10::float8 AS float, $11::bytea AS array,
      count(*) AS count, 1.50::numeric AS numeric, 'admin'::role AS role, 7::int AS int, '{"a":[1]}'::jsonb AS json,
      '2026-07-01'::date AS day, '2026-07-01 12:00'::timestamp AS zoneless FROM users`
  }, values)
  t.same(row, {
    huge: 9007199254740993n,
    small: 42,
    when,
    bytes: Buffer.from([0, 1, 254, 255]),
    id,
    nothing: null,
    ids: [id],
    text: 'it\'s',
    yes: true,
    float: 1.5,
    array: Buffer.from([7]),
    count: 0,
    numeric: '1.50',
    role: 'admin',
    int: 7,
    json: { a: [1] },
    day: '2026-07-01',
    zoneless: new Date('2026-07-01T12:00:00Z')
  })
  t.ok(Buffer.isBuffer(row?.bytes))
  t.type(row?.when, Date)
})

t.test('Prisma and query see each other\'s rows alike', async t => {
  const database = await openTestDatabase(t)
  await times(t, database)
  const { id } = await database.prisma.user.create({ data: { id: randomUUID(), email: 'b@example.com', passwordHash: 'secret' } })
  t.notOk('passwordHash' in await database.prisma.user.findUniqueOrThrow({ where: { id } }), 'the hash comes only when asked for')
  t.match(await database.prisma.user.findUnique({ where: { id }, omit: { passwordHash: false } }), { passwordHash: 'secret' })
})

t.test('an empty result is an empty array, and a failed statement leaves the connection usable', async t => {
  const database = await openTestDatabase(t)
  t.same(await database.query({ name: 'none', text: 'SELECT id FROM users WHERE email = $1' }, ['nobody']), [])
  await t.rejects(database.query({ name: 'bad', text: 'SELECT 1/0' }, []), { code: '22012' })
  const failure = await database.query({ name: 'bad-uuid', text: 'SELECT $1::uuid' }, ['my secret']).catch((error: unknown) => error)
  t.notOk(JSON.stringify(failure).includes('my secret'), 'an error carries no parameters')
  t.same(await database.query({ name: 'fine', text: 'SELECT 1 AS one' }, []), [{ one: 1 }])
  await database.ping()
})

t.test('what is written inside a rolled back transaction is gone after it', async t => {
  const { prisma } = await openTestDatabase(t)
  await t.rejects(prisma.$transaction(async tx => {
    await tx.user.create({ data: { id: randomUUID(), email: 'c@example.com' } })
    throw new Error('changed my mind')
  }), { message: 'changed my mind' })
  t.equal(await prisma.user.count(), 0)
})

t.test('times are right on a server whose time zone is Tokyo', onPostgres, async t => {
  const { url = '', dataDir } = await testDatabase(t)
  const name = new URL(url).pathname.slice(1)
  await onServer(url, server => server.query(`ALTER DATABASE ${name} SET timezone = 'Asia/Tokyo'`))
  t.same((await onServer(url, server => server.query('SHOW timezone'))).rows, [{ TimeZone: 'Asia/Tokyo' }])
  const database = await openDatabase({ url: `${url}?options=-c%20work_mem%3D5MB`, dataDir, log: silent })
  t.teardown(() => database.close())
  t.same(await database.query({ name: 'zone', text: "SELECT current_setting('TimeZone') AS zone, current_setting('work_mem') AS memory" }, []),
    [{ zone: 'UTC', memory: '5MB' }], 'the URL\'s own options are kept')
  await times(t, database)
})

async function times (t: { same: (found: unknown, wanted: unknown) => boolean, ok: (value: unknown) => boolean }, { prisma, query }: Database) {
  const disabledAt = new Date('2026-03-29T01:30:00.123Z')
  const id = randomUUID()
  await prisma.user.create({ data: { id, email: 'a@example.com', disabledAt } })
  const read = { name: 'times', text: 'SELECT disabled_at, created_at, extract(epoch FROM disabled_at)::float8 AS epoch FROM users WHERE id = $1' }
  const [row] = await query<{ disabled_at: Date, created_at: Date, epoch: number }>(read, [id])
  t.same(row?.disabled_at, disabledAt)
  t.same(row?.epoch, disabledAt.getTime() / 1000)
  t.ok(Math.abs(Date.now() - (row?.created_at.getTime() ?? 0)) < 60_000)

  await query({ name: 'set', text: 'UPDATE users SET disabled_at = $2 WHERE id = $1' }, [id, new Date(0)])
  t.same((await prisma.user.findUniqueOrThrow({ where: { id } })).disabledAt, new Date(0))
  t.same(await prisma.user.count({ where: { createdAt: { gt: new Date(Date.now() - 60_000) } } }), 1)
}
