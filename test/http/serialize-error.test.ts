import { randomUUID } from 'node:crypto'
import t from 'tap'
import { Problem } from '../../src/errors.ts'
import { serializeError } from '../../src/http/serialize-error.ts'
import { openTestDatabase } from '../support/database.ts'

const CANARY = 'canary7f3a'

const thrownBy = async (work: () => unknown) => await Promise.resolve().then(work).then(() => { throw new Error('nothing was thrown') }, (error: unknown) => error)

t.test('errors of the database are logged without the values that they quote', async t => {
  const { prisma, query } = await openTestDatabase(t)
  const id = randomUUID()
  await prisma.user.create({ data: { id, email: `${CANARY}@example.com` } })
  const statement = (text: string) => ({ name: text, text })

  const failures: Array<[name: string, work: () => unknown, code: string]> = [
    ['a unique violation', () => query(statement('INSERT INTO users (id, email) VALUES ($1, $2)'), [randomUUID(), `${CANARY}@example.com`]), '23505'],
    ['a unique violation, by Prisma', () => prisma.user.create({ data: { id: randomUUID(), email: `${CANARY}@example.com` } }), '23505'],
    ['a unique violation, by raw SQL of Prisma', () => prisma.$executeRaw`INSERT INTO users (id, email) VALUES (${randomUUID()}::uuid, ${`${CANARY}@example.com`})`, '23505'],
    ['a null', () => query(statement('INSERT INTO users (id, email, role) VALUES ($1, $2, NULL)'), [randomUUID(), CANARY]), '23502'],
    ['an invalid value', () => query(statement('SELECT CAST($1::text AS uuid)'), [CANARY]), '22P02'],
    ['an invalid value, by raw SQL of Prisma', () => prisma.$queryRaw`SELECT CAST(${CANARY}::text AS int)`, '22P02'],
    ['an invalid call of Prisma', () => prisma.user.findMany({ where: { [CANARY]: CANARY } as never }), 'PrismaClientValidationError'],
    ['a raised exception', () => query(statement(`DO $$ BEGIN RAISE EXCEPTION '${CANARY}' USING DETAIL = '${CANARY}', HINT = '${CANARY}'; END $$`), []), 'P0001']
  ]
  for (const [name, work, code] of failures) {
    const error = await thrownBy(work)
    for (const logged of [error, new Problem('internal_error', { cause: error }), new AggregateError([error])]) {
      const text = JSON.stringify(serializeError(logged))
      t.notMatch(text, CANARY, name)
      t.match(text, code, `${name} is told by its code`)
    }
  }
})

t.test('neither are values quoted by other errors', async t => {
  for (const error of [
    await thrownBy(() => JSON.parse(`${CANARY}`) as unknown),
    await thrownBy(() => new URL(`//${CANARY}`)),
    Object.assign(new Error(`WRONGTYPE ${CANARY}`), { name: 'ReplyError', command: { name: 'get', args: [CANARY] } }),
    Object.assign(new Error(CANARY), { name: 'ReplyError' }),
    Object.assign(new Error('failed'), { body: CANARY, response: { body: CANARY }, cause: CANARY }),
    CANARY,
    undefined
  ]) t.notMatch(JSON.stringify(serializeError(error)), CANARY, String(error))
})

t.test('what happened is told: type, message, stack, codes and causes', async t => {
  const cause = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:5432'), { code: 'ECONNREFUSED', syscall: 'connect', address: '127.0.0.1', port: 5432 })
  t.match(serializeError(new Problem('unavailable', { cause })), {
    type: 'Problem',
    code: 'unavailable',
    statusCode: 503,
    stack: /^Problem: .+\n {4}at /,
    cause: { type: 'Error', message: cause.message, code: 'ECONNREFUSED', port: 5432, stack: /^Error: connect/ }
  })
})

t.test('circular causes end', async t => {
  const error = new Error('one')
  error.cause = error
  t.ok(JSON.stringify(serializeError(error)).length < 100_000)
})
