import { once, EventEmitter } from 'node:events'
import t from 'tap'
import { openDatabase } from '../../src/database/open-database.ts'
import { onPostgres, onServer, openTestDatabase, silent, testDatabase } from '../support/database.ts'
import { tcpProxy } from './tcp-proxy.ts'

const notify = { name: 'notify', text: 'SELECT pg_notify($1, $2)::text' }

function listener () {
  const heard: string[] = []
  const lost: Error[] = []
  const events = new EventEmitter()
  return {
    heard,
    lost,
    next: (name: 'notify' | 'lost') => once(events, name),
    onNotify (payload: string) {
      heard.push(payload)
      events.emit('notify')
    },
    onLost (cause: Error) {
      lost.push(cause)
      events.emit('lost')
    }
  }
}

t.test('notifications arrive in order, from a query and from a committed transaction, until closed', async t => {
  const database = await openTestDatabase(t)
  const ear = listener()
  const subscription = await database.listen('revocations', ear)
  const third = new Promise<void>(resolve => { ear.next('notify').then(() => ear.next('notify')).then(() => ear.next('notify')).then(() => resolve()) })
  await database.query(notify, ['revocations', 'one'])
  await database.query(notify, ['other', 'not for us'])
  await database.prisma.$transaction(async tx => {
    await tx.$executeRaw`SELECT pg_notify('revocations', 'two')`
  })
  await database.prisma.$transaction(async tx => {
    await tx.$executeRaw`SELECT pg_notify('revocations', 'never')`
    throw new Error('rolled back')
  }).catch(() => {})
  await database.query(notify, ['revocations', ''])
  await third
  t.same(ear.heard, ['one', 'two', ''])

  await subscription.close()
  await subscription.close()
  await database.query(notify, ['revocations', 'too late'])
  await database.ping()
  t.same(ear.heard, ['one', 'two', ''])
  t.same(ear.lost, [], 'closing is not losing')
})

t.test('two listeners on one channel are both notified, and closing one leaves the other', async t => {
  const database = await openTestDatabase(t)
  const [first, second] = [listener(), listener()]
  const subscription = await database.listen('revocations', first)
  await database.listen('revocations', second)
  const both = [first.next('notify'), second.next('notify')]
  await database.query(notify, ['revocations', 'one'])
  await Promise.all(both)
  await subscription.close()
  const again = second.next('notify')
  await database.query(notify, ['revocations', 'two'])
  await again
  t.same(first.heard, ['one'])
  t.same(second.heard, ['one', 'two'])
})

t.test('a channel that is not a plain identifier is refused', async t => {
  const database = await openTestDatabase(t)
  await t.rejects(database.listen('a; DROP TABLE users', listener()), TypeError)
})

t.test('a killed listening connection is reported, once, and listening again works', onPostgres, async t => {
  const { url = '', dataDir } = await testDatabase(t)
  const database = await openDatabase({ url, dataDir, log: silent })
  t.teardown(() => database.close())
  const ear = listener()
  await database.listen('revocations', ear)
  const lost = ear.next('lost')
  await onServer(url, server => server.query(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query = 'LISTEN revocations'"
  ))
  await lost
  t.equal(ear.lost.length, 1)
  const heard = ear.next('notify')
  const subscription = await database.listen('revocations', ear)
  await database.query(notify, ['revocations', 'back'])
  await heard
  t.same(ear.heard, ['back'])
  await subscription.close()
})

t.test('a listening connection that falls silent is reported too', onPostgres, async t => {
  const { url = '', dataDir } = await testDatabase(t)
  const proxy = await tcpProxy(url)
  t.teardown(() => proxy.close())
  const database = await openDatabase({ url: proxy.url, dataDir, log: silent })
  t.teardown(() => database.close())
  const ear = listener()
  await database.listen('revocations', ear)
  const lost = ear.next('lost')
  const began = Date.now()
  proxy.freeze()
  await lost
  t.ok(Date.now() - began < 10_000, `after ${Date.now() - began} ms`)
  await t.rejects(database.listen('revocations', ear), 'listening through it fails in time')
})
