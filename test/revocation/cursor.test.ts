import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { readCursor, writeCursor } from '../../src/revocation/cursor.ts'
import { createLedgerReader } from '../../src/revocation/ledger-reader.ts'
import { onPostgres, onServer, openTestDatabase, testDatabase } from '../support/database.ts'
import { readFrom, revokeIn } from './following.ts'

const IDENTITY = '01890a5d-ac96-774b-bcce-b302099a8057.734.16384'
const ids = fc.bigInt(1n, 2n ** 62n).filter(id => id % 2n ** 32n !== 0n)
const snapshots = fc.tuple(ids, fc.array(ids, { maxLength: 8 }), ids).map(([oldest, gaps, rest]) => {
  const between = gaps.map((_, index) => oldest + BigInt(index))
  return `${oldest}:${oldest + BigInt(between.length) + rest % 1000n}:${between.join(',')}`
}).filter(snapshot => BigInt(snapshot.split(':')[1] ?? '0') % 2n ** 32n !== 0n)

t.test('a cursor says which ledger was read, and how far', async t => {
  fc.assert(fc.property(snapshots, snapshot => {
    const position = { identity: IDENTITY, snapshot }
    t.strictSame(readCursor(writeCursor(position)), position)
  }))
})

t.test('a cursor fits a header, however many transactions were in progress', async t => {
  const between = Array.from({ length: 5_000 }, (_, index) => 1_000 + index)
  const cursor = writeCursor({ identity: IDENTITY, snapshot: `1000:9000:${between.join(',')}` })
  t.strictSame(readCursor(cursor), { identity: IDENTITY, snapshot: '1000:1000:' }, 'as if nothing after the oldest had been seen')
})

t.test('anything else is not a cursor', async t => {
  for (const text of ['', 'x', '1:2:', `${IDENTITY}~`, `${IDENTITY}~1:2`, `${IDENTITY}~0:1:`, `${IDENTITY}~3:2:`, `${IDENTITY}~1:4294967296:`, `${IDENTITY}~4294967296:4294967297:`, `${IDENTITY}~1:5:5`, `${IDENTITY}~2:5:1`, `${IDENTITY}~1:5:3,2`,
    `${IDENTITY}~1:9223372036854775808:`, `${IDENTITY}~1:2:\n`, `${IDENTITY}~-1:2:`, `${IDENTITY}~1:2:3,`, '\'; DROP TABLE users~1:2:', `${IDENTITY}~1:2:${'1'.repeat(10_000)}`]) {
    t.equal(readCursor(text), undefined, text.slice(0, 80))
  }
  fc.assert(fc.property(fc.string(), text => readCursor(text) === undefined))
})

t.test('a read of the ledger', async t => {
  const database = await openTestDatabase(t)
  const ledger = createLedgerReader(database)

  t.test('returns only what an earlier one has not seen', async t => {
    const known = await revokeIn(database)
    const first = await readFrom(ledger)
    const later = await revokeIn(database)
    t.ok(first.ids.includes(known))
    t.strictSame((await readFrom(ledger, first.cursor)).ids, [later])
  })

  t.test('continues from any cursor that Postgres accepts, without failing', async t => {
    const known = await revokeIn(database)
    const [identity = ''] = (await readFrom(ledger)).cursor.split('~')
    await fc.assert(fc.asyncProperty(snapshots, async snapshot => {
      t.type((await readFrom(ledger, `${identity}~${snapshot}`)).cursor, 'string')
    }), { numRuns: 20 })
    t.ok((await readFrom(ledger, `${identity}~1:1:`)).ids.includes(known))
  })

  t.test('returns everything for an invalid cursor', async t => {
    const known = await revokeIn(database)
    for (const cursor of ['', 'garbage', '1:2:', `${randomUUID()}.1.1~9:9:`]) t.ok((await readFrom(ledger, cursor)).ids.includes(known), cursor)
  })

  t.test('returns everything where transaction ids went back', async t => {
    const known = await revokeIn(database)
    const [identity] = (await readFrom(ledger)).cursor.split('~')
    t.ok((await readFrom(ledger, `${identity}~9000000000:9000000000:`)).ids.includes(known))
  })

  t.test('returns everything where the server has emptied unlogged tables, as after a failover or a restore', async t => {
    const known = await revokeIn(database)
    const { cursor } = await readFrom(ledger)
    t.strictSame((await readFrom(ledger, cursor)).ids, [])
    await database.query({ name: 'test.empty', text: 'TRUNCATE ledger_identity' }, [])
    const again = await readFrom(ledger, cursor)
    t.ok(again.ids.includes(known))
    t.strictSame((await readFrom(ledger, again.cursor)).ids, [], 'and then goes on from there')
  })

  t.test('returns everything where the identity was restored with other data, as from a dump', async t => {
    const known = await revokeIn(database)
    const { cursor } = await readFrom(ledger)
    await database.query({ name: 'test.restore', text: 'UPDATE ledger_identity SET id = id' }, [])
    t.ok((await readFrom(ledger, cursor)).ids.includes(known))
  })

  t.test('returns everything, batch by batch, where more than a batch was missed', async t => {
    const { cursor } = await readFrom(ledger)
    await database.query({
      name: 'test.fill',
      text: `INSERT INTO revocations (kind, subject, min_version, expires_at, xid)
        SELECT 'user', 'user-' || n, 2, now() + interval '1 hour', pg_current_xact_id()::text::bigint FROM generate_series(1, 25000) n`
    }, [])
    t.ok(new Set((await readFrom(ledger, cursor)).ids).size >= 25_000)
  })
})

t.test('concurrent readers that find no identity agree on one', async t => {
  const database = await openTestDatabase(t)
  const cursors = await Promise.all(Array.from({ length: 8 }, () => readFrom(createLedgerReader(database))))
  t.equal(new Set(cursors.map(({ cursor }) => cursor.split('~')[0])).size, 1)
})

t.test('the identity survives a restart', async t => {
  const options = await testDatabase(t)
  const identities = []
  for (let start = 0; start < 2; start++) {
    const database = await openTestDatabase(t, options)
    identities.push((await readFrom(createLedgerReader(database))).cursor.split('~')[0])
    await database.close()
  }
  t.equal(identities[0], identities[1])
})

t.test('a database copied within a server is another ledger', onPostgres, async t => {
  const { url = '', dataDir } = await testDatabase(t)
  const original = await openTestDatabase(t, { url, dataDir })
  const { cursor } = await readFrom(createLedgerReader(original))
  await original.close()

  const copy = new URL(url)
  copy.pathname += '_copy'
  const name = copy.pathname.slice(1)
  await onServer(new URL('/postgres', url).href, server => server.query(`CREATE DATABASE ${name} TEMPLATE ${new URL(url).pathname.slice(1)}`))
  t.teardown(() => onServer(new URL('/postgres', url).href, server => server.query(`DROP DATABASE ${name} WITH (FORCE)`)))
  const database = await openTestDatabase(t, { url: copy.href, dataDir })
  const known = await revokeIn(database)
  const again = await readFrom(createLedgerReader(database), cursor)
  t.ok(again.ids.includes(known))
  t.not(again.cursor.split('~')[0], cursor.split('~')[0])
})
