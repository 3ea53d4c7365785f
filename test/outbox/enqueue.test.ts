import t from 'tap'
import { statement } from '../../src/database/statement.ts'
import { enqueue, NO_MESSAGE, outboxSql, outboxValues } from '../../src/outbox/enqueue.ts'
import { contextOf } from '../../src/outbox/message.ts'
import { openTestDatabase } from '../support/database.ts'
import { outboxOn } from './outbox.ts'

const CREATE = statement('test.create-with-messages', `
  WITH created AS (INSERT INTO users (id, email) VALUES (:userId::uuid, :email) RETURNING id AS user_id),
    ${outboxSql('created', 'greeting')}, ${outboxSql('created', 'notice')}
  SELECT user_id FROM created`)

t.test('a message of the outbox', async t => {
  const database = await openTestDatabase(t)
  const { writer, encryption, queue, rows } = outboxOn(t, database)
  const message = (payload: object) => writer.prepare({ kind: 'note', payload, expiresIn: 600 })
  const create = (email: string, greeting = message({ greeting: true }), notice = NO_MESSAGE) => {
    const userId = crypto.randomUUID()
    return database.query(CREATE, { userId, email, ...outboxValues(greeting, 'greeting'), ...outboxValues(notice, 'notice') }).then(() => userId)
  }
  t.afterEach(() => database.query({ name: 'test.empty', text: 'DELETE FROM outbox' }, []))

  t.test('is stored by the statement that causes it, or not at all', async t => {
    const userId = await create('ada@example.com')
    t.match(await rows(), [{ kind: 'note', userId, attempts: 0, claim: null, deadAt: null }])
    await t.rejects(create('ada@example.com'))
    t.equal((await rows()).length, 1, 'an act that fails queues nothing')
  })

  t.test('may be one of several, and may be none', async t => {
    await create('both@example.com', message({}), message({}))
    t.equal((await rows()).length, 2)
    await create('none@example.com', NO_MESSAGE)
    t.equal((await rows()).length, 2)
  })

  t.test('is stored with its transaction, or not at all', async t => {
    const act = (fails: boolean) => database.prisma.$transaction(async tx => {
      await enqueue(tx, message({ fails }))
      await enqueue(tx, NO_MESSAGE)
      if (fails) throw new Error('rolled back')
    })
    await t.rejects(act(true), /rolled back/)
    t.strictSame(await rows(), [])
    await act(false)
    t.equal((await rows()).length, 1)
  })

  t.test('is not readable in the table, and cannot be read as another', async t => {
    const first = await queue({ token: 'canary-link-token' })
    const second = await queue({ token: 'another' })
    const [row] = await rows()
    t.notMatch(JSON.stringify(await rows()), /canary|another/)
    t.equal(encryption.decrypt(row?.payload ?? '', contextOf(first)), '{"token":"canary-link-token"}')
    t.equal(encryption.decrypt(row?.payload ?? '', contextOf(second)), undefined)
  })

  t.test('expires, and is due at once', async t => {
    await queue({}, { expiresIn: 90 })
    const [row] = await rows()
    t.ok(row !== undefined && row.expiresIn > 80 && row.expiresIn <= 90, String(row?.expiresIn))
    t.ok(row !== undefined && row.dueIn <= 0)
  })
})
