import t from 'tap'
import { createEventLog } from '../../../src/oauth/revocation-feed/event-log.ts'
import { createMissedEvents } from '../../../src/oauth/revocation-feed/missed-events.ts'
import { createLedgerReader } from '../../../src/revocation/ledger-reader.ts'
import { openTestDatabase } from '../../support/database.ts'
import { revokeIn } from '../../revocation/following.ts'

t.test('what was missed', async t => {
  const database = await openTestDatabase(t)
  const ledger = createLedgerReader(database)
  const cursors: string[] = []
  for (let n = 0; n < 3; n++) {
    cursors.push((await ledger.read(() => {})).cursor)
    await revokeIn(database)
  }
  const [first = '', second = '', third = ''] = cursors

  /** Uses what was missed until `end` is called. */
  async function hold ({ share }: ReturnType<typeof createMissedEvents>, since: string) {
    let end = () => {}
    const used = new Promise<void>(resolve => { end = resolve })
    let done: Promise<void> | undefined
    const text = await new Promise<string | undefined>((resolve, reject) => {
      done = share(since, async ({ events }) => {
        resolve(events === undefined ? undefined : Buffer.concat(events).toString())
        await used
      })
      done.catch(reject)
    })
    return { count: text?.split('event: ').slice(1).length, async end () { end(); await done } }
  }

  async function briefly (missed: ReturnType<typeof createMissedEvents>, since: string) {
    const { count, end } = await hold(missed, since)
    await end()
    return count
  }

  t.test('is held up to a number of bytes, and then not told', async t => {
    const EVENT = 130
    const missed = createMissedEvents(ledger, createEventLog(1_000), 4 * EVENT)
    const one = await hold(missed, first)
    t.equal(one.count, 3)
    const same = await hold(missed, first)
    t.equal(same.count, 3, 'those with the same cursor share it')
    t.equal(await briefly(missed, second), undefined, 'as if it were too far behind')
    t.equal(await briefly(missed, third), 1, 'less has room')
    await one.end()
    t.equal(await briefly(missed, second), undefined, 'while another still uses it')
    await same.end()
    t.equal(await briefly(missed, second), 2)
  })

  t.test('is given back by whoever could not use it', async t => {
    const missed = createMissedEvents(ledger, createEventLog(1_000), 500)
    for (let n = 0; n < 5; n++) {
      await t.rejects(missed.share(first, async ({ events }) => {
        t.not(events, undefined)
        throw new Error('gone')
      }), { message: 'gone' })
    }
  })
})
