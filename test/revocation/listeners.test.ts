import t, { type Test } from 'tap'
import type { Revocation } from 'countersign-verifier/internal'
import { createLedgerReader } from '../../src/revocation/ledger-reader.ts'
import { openTestDatabase } from '../support/database.ts'
import { until } from '../support/until.ts'
import { follow, readFrom, REVOKE, revokeIn } from './following.ts'

t.test('a listener to revocations', async t => {
  const database = await openTestDatabase(t)

  /** Follows the ledger, and writes down what a listener is told. */
  async function listen (t: Test, listens = true) {
    const instance = await follow(t, { database, listens })
    const told: Array<Revocation | { cursor: string }> = []
    const stop = instance.ledgerSync.follow({
      onRevocation: revocation => { told.push(revocation) },
      onRead: cursor => { told.push({ cursor }) }
    })
    const revocations = () => told.filter(each => !('cursor' in each))
    const knows = (id: string) => told.some(each => 'id' in each && each.id === id)
    return { ...instance, told, stop, revocations, knows }
  }

  t.test('is called once for a revocation that is both notified and read', async t => {
    const { told, knows, revocations, ledgerSync } = await listen(t)
    const id = await revokeIn(database)
    await until(() => knows(id))
    const { length } = told
    const { reads } = ledgerSync.counts
    await until(() => ledgerSync.counts.reads >= reads + 2)
    t.ok(told.length > length)
    t.match(revocations(), [{ kind: 'session', id, expiresAt: Number }])
    t.equal(revocations().length, 1)
  })

  t.test('is called for a revocation that is only read', async t => {
    const { knows } = await listen(t, false)
    const id = await revokeIn(database)
    await until(() => knows(id))
    t.ok(knows(id))
  })

  t.test('is called at once for what is applied here, and not again', async t => {
    const { revocations, ledgerSync } = await listen(t)
    const entry = { kind: 'session', id: crypto.randomUUID(), expiresAt: ledgerSync.now() + 60 } as const
    ledgerSync.apply([entry])
    ledgerSync.apply([entry])
    t.strictSame(revocations(), [entry])
    const higher = { kind: 'user', id: crypto.randomUUID(), minVersion: 3, expiresAt: ledgerSync.now() + 60 } as const
    ledgerSync.apply([{ ...higher, minVersion: 2 }, higher, { ...higher, minVersion: 1 }])
    t.strictSame(revocations(), [entry, { ...higher, minVersion: 2 }, higher])
    ledgerSync.apply([{ ...entry, expiresAt: entry.expiresAt + 60 }])
    t.equal(revocations().length, 4, 'a longer life is news')
  })

  t.test('is called for clients', async t => {
    const { knows, set } = await listen(t)
    const text = REVOKE.text.replace("'session' AS kind", "'client' AS kind")
    await database.query({ name: 'test.revoke-client', text }, ['client_reports'])
    await until(() => knows('client_reports'))
    t.ok(set.has({ sessionId: '', subject: 'client_reports', version: 0 }))
  })

  t.test('is called for a read only after everything that it found', async t => {
    const { told, knows } = await listen(t, false)
    const id = await revokeIn(database)
    await until(() => knows(id))
    const at = told.findIndex(each => 'id' in each && each.id === id)
    await until(() => told.length > at + 1)
    const next = told[at + 1]
    if (next === undefined || !('cursor' in next)) return t.fail('a read follows')
    t.strictSame((await readFrom(createLedgerReader(database), next.cursor)).ids, [], 'from its cursor nothing is missing')
  })

  t.test('is not called after it has stopped', async t => {
    const { told, stop, ledgerSync } = await listen(t)
    stop()
    const { length } = told
    const id = await revokeIn(database)
    const { reads } = ledgerSync.counts
    await until(() => ledgerSync.counts.reads >= reads + 2)
    t.equal(told.length, length)
    t.type(id, 'string')
  })

  t.test('does not keep the instance from learning when it fails', async t => {
    const { knows, ledgerSync, set, warnings } = await listen(t)
    ledgerSync.follow({ onRevocation () { throw new Error('gone') }, onRead () { throw new Error('gone') } })
    const id = await revokeIn(database)
    await until(() => set.hasSession(id) && knows(id))
    const { reads } = ledgerSync.counts
    await until(() => ledgerSync.counts.reads > reads)
    t.equal(ledgerSync.counts.failedReads, 0)
    t.match(warnings[0], /listener/)
  })
})
