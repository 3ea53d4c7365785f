import t, { type Test } from 'tap'
import type { Database } from '../../src/database/database.ts'
import { DatabaseUnavailable } from '../../src/database/errors.ts'
import { watchOutages } from '../../src/database/outages.ts'
import { openTestDatabase } from '../support/database.ts'

const MINUTE = 60_000

/** A watched database whose next statements fail as a test says, on a clock that it sets. */
function watch (t: Test, opened: Database) {
  let now = 1_000_000
  let failure: Error | undefined
  const { database, lastOutage } = watchOutages({ ...opened, query: async (...statement) => { if (failure !== undefined) throw failure; return opened.query(...statement) } }, () => now)

  async function write (): Promise<unknown> {
    return database.query({ name: 'test.write', text: 'INSERT INTO ledger_identity DEFAULT VALUES ON CONFLICT ("only") DO UPDATE SET "only" = true RETURNING id' }, [])
  }

  return {
    lastOutage,
    database,
    write,
    now: () => now,
    pass (ms: number) { now += ms },
    async failWith (error: Error) {
      failure = error
      await t.rejects(write(), error)
      failure = undefined
    }
  }
}

const unanswered = new Error('Query read timeout')
const withCode = (code: string) => Object.assign(new Error(code), { code })

t.test('an outage', async t => {
  const opened = await openTestDatabase(t)

  t.test('begins with a statement that may have been committed, and with no other failure', async t => {
    for (const error of [unanswered, new Error('Connection terminated unexpectedly'), withCode('ECONNRESET'), withCode('EPIPE'), withCode('08006'), withCode('57P01')]) {
      const { failWith, lastOutage, now } = watch(t, opened)
      await failWith(error)
      t.match(lastOutage(), { beganAt: now() }, error.message)
    }
    const { failWith, lastOutage } = watch(t, opened)
    for (const error of [
      new DatabaseUnavailable('No connection to the database could be opened.', { cause: withCode('ECONNRESET') }), new DatabaseUnavailable('No connection', { cause: unanswered }),
      withCode('55P03'), withCode('57014'), withCode('25006'), withCode('53300'), withCode('57P03'), withCode('ECONNREFUSED')
    ]) {
      await failWith(error)
      t.equal(lastOutage(), undefined, error.message)
    }
  })

  t.test('lasts until a statement has written', async t => {
    const { failWith, lastOutage, pass, now, write, database } = watch(t, opened)
    const beganAt = now()
    await failWith(unanswered)
    pass(40_000)
    await database.query({ name: 'test.read', text: 'SELECT 1 AS one' }, [])
    await database.query({ name: 'test.nothing', text: 'UPDATE users SET name = name WHERE false RETURNING id' }, [])
    t.strictSame(lastOutage(), { beganAt, endedAt: now() }, 'a read waits for no standby, nor does a statement that finds nothing to write')
    await failWith(withCode('55P03'))
    await write()
    const endedAt = now()
    pass(MINUTE)
    await write()
    await failWith(withCode('55P03'))
    t.strictSame(lastOutage(), { beganAt, endedAt })
  })

  t.test('is one with the next that follows soon', async t => {
    const { failWith, lastOutage, pass, now, write } = watch(t, opened)
    const beganAt = now()
    await failWith(unanswered)
    await write()
    pass(20_000)
    await failWith(unanswered)
    pass(5_000)
    t.strictSame(lastOutage(), { beganAt, endedAt: now() })
    await write()
    pass(31_000)
    await failWith(unanswered)
    t.strictSame(lastOutage(), { beganAt: now(), endedAt: now() }, 'and another later')
  })

  t.test('lasts ten minutes at most', async t => {
    const { failWith, lastOutage, pass, now } = watch(t, opened)
    const beganAt = now()
    await failWith(unanswered)
    for (let minute = 0; minute < 9; minute++) {
      pass(MINUTE)
      await failWith(unanswered)
    }
    pass(20 * MINUTE)
    t.strictSame(lastOutage(), { beganAt, endedAt: beganAt + 10 * MINUTE })
    await failWith(unanswered)
    t.strictSame(lastOutage(), { beganAt: now(), endedAt: now() })
  })
})
