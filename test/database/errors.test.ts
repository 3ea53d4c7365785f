import { randomUUID } from 'node:crypto'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { DatabaseUnavailable, isDatabaseUnavailable, mayHaveCommitted, violatedConstraint } from '../../src/database/errors.ts'
import { openTestDatabase } from '../support/database.ts'

t.test('a violated constraint has the same name from Prisma, in a transaction or not, and from query', async t => {
  const { prisma, query } = await openTestDatabase(t)
  const email = 'taken@example.com'
  const { id } = await prisma.user.create({ data: { id: randomUUID(), email } })
  const again = () => ({ data: { id: randomUUID(), email } })
  const insert = { name: 'insert', text: 'INSERT INTO users (id, email) VALUES ($1, $2)' }

  for (const work of [
    () => prisma.user.create(again()),
    () => prisma.$transaction(async tx => tx.user.create(again())),
    () => prisma.$transaction([prisma.user.create(again())]),
    () => prisma.$executeRaw`INSERT INTO users (id, email) VALUES (${randomUUID()}::uuid, ${email})`,
    () => query(insert, [randomUUID(), email])
  ]) {
    const error = await refusal(work())
    t.equal(violatedConstraint(error), 'users_email_key')
    t.equal(isDatabaseUnavailable(error), false)
  }
  t.equal(violatedConstraint(await refusal(prisma.user.create({ data: { id, email: 'other@example.com' } }))), 'users_pkey')

  const orphan = {
    id: randomUUID(), userId: randomUUID(), channel: 'body', nonce: Buffer.from([1]), keyId: 'k', idleEndsAt: new Date(), endsAt: new Date()
  } as const
  t.equal(violatedConstraint(await refusal(prisma.session.create({ data: orphan }))), undefined, 'a foreign key is not unique')
  t.equal(violatedConstraint(await refusal(prisma.user.update({ where: { id: randomUUID() }, data: {} }))), undefined)
})

t.test('after closing, the database is unavailable', async t => {
  const database = await openTestDatabase(t)
  await database.close()
  t.ok(isDatabaseUnavailable(await refusal(database.query({ name: 'one', text: 'SELECT 1' }, []))))
  t.ok(isDatabaseUnavailable(await refusal(database.ping())))
  t.ok(isDatabaseUnavailable(await refusal(database.prisma.user.count())))
})

t.test('errors are classified, however they are wrapped', t => {
  const coded = (code: string) => Object.assign(new Error('x'), { code })
  for (const code of ['ECONNREFUSED', 'ECONNRESET', '57P01', '57P02', '57P03', '53300', '08006', '57014', '55P03', '58030', '25006', 'P1001', 'P1017', 'P2024', 'P2028']) {
    t.ok(isDatabaseUnavailable(coded(code)), code)
    t.ok(isDatabaseUnavailable(new Error('wrapped', { cause: coded(code) })), `${code}, wrapped`)
  }
  for (const code of ['23505', '42P01', '22P02', 'P2002', 'P2025', 'P2010', 'P2034', 'ENOENT']) t.notOk(isDatabaseUnavailable(coded(code)), code)
  t.ok(isDatabaseUnavailable(new DatabaseUnavailable('late')))
  const loop = new Error('loop')
  loop.cause = loop
  for (const odd of [undefined, null, 'ECONNREFUSED', 7, {}, [], loop]) {
    t.equal(isDatabaseUnavailable(odd), false)
    t.equal(violatedConstraint(odd), undefined)
  }
  t.end()
})

// A test runner gives its files another global object than the one that Node's errors are of.
t.test('an error of another realm is classified as one of this', t => {
  const foreign = (properties: object) => runInNewContext('Object.assign(new Error(), properties)', { properties }) as Error
  t.notOk(foreign({}) instanceof Error, 'it is of another realm')
  t.ok(isDatabaseUnavailable(foreign({ code: 'ECONNREFUSED' })))
  t.ok(mayHaveCommitted(foreign({ code: 'ECONNRESET' })), 'a rotation whose answer was lost is no reuse')
  t.ok(mayHaveCommitted(foreign({ message: 'Connection terminated unexpectedly' })))
  t.notOk(mayHaveCommitted(foreign({ code: 'ECONNREFUSED' })))
  t.notOk(mayHaveCommitted({ code: 'ECONNRESET' }), 'and what is no error is not')
  t.end()
})

async function refusal (work: Promise<unknown>): Promise<unknown> {
  return work.then(() => undefined, (error: unknown) => error)
}
