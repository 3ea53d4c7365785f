import { randomUUID } from 'node:crypto'
import t from 'tap'
import type { Database, Listener } from '../../src/database/database.ts'
import { createLedgerReader } from '../../src/revocation/ledger-reader.ts'
import { onPostgres, onServer, openTestDatabase, testDatabase } from '../support/database.ts'
import { until } from '../support/until.ts'
import { follow, readFrom, REVOKE, revokeIn } from './following.ts'

t.test('following the ledger', async t => {
  const database = await openTestDatabase(t)
  t.test('starts with everything that is live in it', async t => {
    const [live, expired] = [await revokeIn(database), await revokeIn(database)]
    await database.query({ name: 'test.expire', text: "UPDATE revocations SET expires_at = now() - interval '1 second' WHERE subject = $1" }, [expired])
    const { set } = await follow(t, { database })
    t.ok(set.hasSession(live))
    t.notOk(set.hasSession(expired))
  })

  t.test('listens, and only then reads', async t => {
    const ledger = createLedgerReader(database)
    const order: string[] = []
    await follow(t, {
      database: { ...database, listen (channel, listener) { order.push('listen'); return database.listen(channel, listener) } },
      ledger: { ...ledger, read (...args) { order.push('read'); return ledger.read(...args) } }
    })
    t.strictSame(order.slice(0, 2), ['listen', 'read'])
  })

  t.test('is notified of commits', async t => {
    const { set, revoke, ledgerSync } = await follow(t, { database })
    const id = await revoke()
    await until(() => set.hasSession(id))
    t.ok(ledgerSync.counts.notifications >= 1)
  })

  t.test('listens on another connection after a while, and misses nothing', async t => {
    let opened = 0
    let closed = 0
    const { set, revoke, warnings, ledgerSync } = await follow(t, {
      listenFor: 1,
      database: {
        ...database,
        async listen (...args) {
          opened++
          const subscription = await database.listen(...args)
          return { async close () { closed++; await subscription.close() } }
        }
      }
    })
    await until(() => opened > 2 && closed === opened - 1)
    const before = ledgerSync.counts.notifications
    // One that falls between two connections is read, not notified.
    const ids: string[] = []
    await until(async () => {
      ids.push(await revoke())
      return ledgerSync.counts.notifications > before
    })
    await until(() => ids.every(id => set.hasSession(id)))
    t.strictSame(warnings, [], 'without a word')
  })

  t.test('without LISTEN, as behind a pooler, learns it within 1.1 s', async t => {
    const { set, revoke, ledgerSync } = await follow(t, { database, listens: false })
    const id = await revoke()
    t.ok(await until(() => set.hasSession(id)) < 1_600, 'half a second more for a busy machine')
    t.equal(ledgerSync.counts.notifications, 0)
  })

  t.test('measures how long the last revocation took', async t => {
    const { set, ledgerSync } = await follow(t, { database, listens: false })
    t.equal(ledgerSync.lag(), 0, 'what was there before it began counts for nothing')
    const id = await revokeIn(database)
    await until(() => set.hasSession(id))
    const lag = ledgerSync.lag()
    t.ok(lag > 0 && lag < 2, `${lag} s`)
  })

  t.test('continues to read while it cannot listen', async t => {
    let listener: Listener | undefined
    const refusing: Database = {
      ...database,
      async listen (_channel, hears) {
        if (listener !== undefined) throw new Error('no connection left')
        listener = hears
        return { async close () {} }
      }
    }
    const { set, revoke, ledgerSync, warnings } = await follow(t, { database: refusing })
    listener?.onLost(new Error('the connection ended'))
    const id = await revoke()
    await until(() => set.hasSession(id), 5_000)
    t.ok(ledgerSync.age() < 2_500)
    t.match(warnings, [/^lost the connection/, /./])
  })

  t.test('and listens again as soon as it can', async t => {
    const listeners: Listener[] = []
    const { set, ledgerSync } = await follow(t, {
      database: { ...database, async listen (_channel, listener) { listeners.push(listener); return { async close () {} } } }
    })
    listeners[0]?.onLost(new Error('the connection ended'))
    await until(() => listeners.length === 2)
    const id = randomUUID()
    listeners[1]?.onNotify(JSON.stringify({ kind: 'session', subject: id, minVersion: null, expiresAt: ledgerSync.now() + 60 }))
    t.ok(set.hasSession(id))
  })

  t.test('ignores invalid notifications', async t => {
    const logged: Array<[object, string]> = []
    const { set, revoke } = await follow(t, { database, log: { warn: (details: object, message: string) => { logged.push([details, message]) } } })
    const { size } = set
    for (const payload of ['', 'x', '{}', '[]', 'null', '{"kind":"unheard-of","subject":"x","minVersion":null,"expiresAt":1}']) {
      await database.query({ name: 'test.notify', text: "SELECT pg_notify('countersign_revocations', $1)::text" }, [payload])
    }
    const id = await revoke()
    await until(() => set.hasSession(id))
    t.equal(set.size, size + 1)
    t.strictSame(logged.map(([details, message]) => [details, message]), [0, 1, 2, 2, 4].map(bytes => [{ bytes }, 'invalid revocation payload']), 'how long each was is logged, and nothing that it said')
  })

  t.test('continues from its cursor after it could not read or listen', async t => {
    const ledger = createLedgerReader(database)
    const asked: Array<string | undefined> = []
    let fails = false
    let listener: Listener | undefined
    const { set } = await follow(t, {
      database: { ...database, async listen (_channel, hears) { listener = hears; return { async close () {} } } },
      ledger: {
        ...ledger,
        async read (take, since) {
          asked.push(since)
          if (fails) { fails = false; throw new Error('the connection broke') }
          return ledger.read(take, since)
        }
      }
    })
    await until(() => asked.length >= 2)
    fails = true
    listener?.onLost(new Error('the connection ended'))
    const id = await revokeIn(database)
    await until(() => set.hasSession(id))
    t.equal(asked[0], undefined)
    t.notOk(asked.slice(1).includes(undefined), 'a million entries are not read again because a connection broke')
  })

  t.test('measures its age from the beginning of the last completed read', async t => {
    let hangs = false
    const { ledgerSync } = await follow(t, {
      database: { ...database, query: (...args) => hangs ? new Promise(() => {}) : database.query(...args) },
      listens: false
    })
    t.ok(ledgerSync.age() < 1_500)
    hangs = true
    const { reads } = ledgerSync.counts
    await until(() => ledgerSync.counts.failedReads > 0, 6_000)
    t.equal(ledgerSync.counts.reads, reads)
    t.ok(ledgerSync.age() > 2_000, 'a read that never ends makes nothing fresh')
    hangs = false
    await until(() => ledgerSync.age() < 500)
    t.equal(ledgerSync.counts.reads > reads, true)
  })

  t.test('reads a ledger of any size at its start', async t => {
    await database.query({
      name: 'test.fill',
      text: `INSERT INTO revocations (kind, subject, min_version, expires_at, xid)
        SELECT 'user', 'user-' || n, 2, now() + interval '1 hour', pg_current_xact_id()::text::bigint FROM generate_series(1, 25000) n`
    }, [])
    const { set } = await follow(t, { database })
    t.ok(set.size >= 25_000)
    t.ok(set.has({ sessionId: '', subject: 'user-25000', version: 1 }))
  })
})

t.test('an entry whose transaction began before, and committed after, two hundred others', onPostgres, async t => {
  const { url = '', dataDir } = await testDatabase(t)
  const database = await openTestDatabase(t, { url, dataDir })
  const { set } = await follow(t, { database, listens: false })

  await onServer(url, async slow => onServer(url, async other => {
    const late = randomUUID()
    await slow.query('BEGIN')
    await slow.query(REVOKE.text, [late])
    const early: string[] = []
    for (let count = 0; count < 200; count++) early.push(await revokeIn(database))
    await until(() => early.every(id => set.hasSession(id)))
    const one = await revokeIn(database)
    await until(() => set.hasSession(one))
    t.notOk(set.hasSession(late))
    await slow.query('COMMIT')
    await until(() => set.hasSession(late))
    t.ok(set.hasSession(late), 'is not lost')

    await t.test('while a transaction holds xmin back, a read stays as small', async t => {
      await other.query('BEGIN ISOLATION LEVEL REPEATABLE READ')
      await other.query('SELECT pg_current_xact_id()')
      const ledger = createLedgerReader(database)
      const { cursor } = await readFrom(ledger)
      const quiet = await readFrom(ledger, cursor)
      t.strictSame(quiet.ids, [])
      const id = await revokeIn(database)
      t.strictSame((await readFrom(ledger, quiet.cursor)).ids, [id])
      await other.query('ROLLBACK')
    })
  }))
})

t.test('a database whose clock is wrong for a while, as after a failover, makes nothing forgotten', async t => {
  const database = await openTestDatabase(t)
  let ahead = 0
  const shifted: Database = {
    ...database,
    async query<Row> (...args: Parameters<Database['query']>) {
      const rows = await database.query<Row & { now?: number }>(...args)
      return rows.map(row => row.now === undefined ? row : { ...row, now: row.now + ahead })
    }
  }
  const { ledgerSync, set, revoke } = await follow(t, { database: shifted, pruneEvery: 5 })
  const sessionId = await revoke()
  await until(() => set.hasSession(sessionId))
  ahead = 7_200
  const real = Date.now() / 1000
  await until(() => ledgerSync.now() > real + 7_000)
  let checks = 0
  await until(() => !set.hasSession(sessionId) || ++checks > 20)
  t.ok(set.hasSession(sessionId))
})
