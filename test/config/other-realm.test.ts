import { runInNewContext } from 'node:vm'
import t from 'tap'
import { errorCode, errorMessage, isError } from '../../src/config/error-code.ts'
import { serializeError } from '../../src/http/serialize-error.ts'

t.test('an error of another global object, as in test runners that give each file its own', async t => {
  const error = runInNewContext("Object.assign(new Error('mkdir: no such directory'), { code: 'ENOENT' })") as unknown
  t.notOk(error instanceof Error)
  t.ok(isError(error))
  t.equal(errorCode(error), 'ENOENT')
  t.equal(errorMessage(error), 'mkdir: no such directory')
  const parsing: unknown = runInNewContext("try { JSON.parse('a secret') } catch (error) { error }")
  t.equal(serializeError(parsing).message, 'Invalid syntax', 'what could not be parsed is not quoted')
})

t.test('what is no error has no code', async t => {
  for (const thrown of [undefined, null, 'ENOENT', 7, {}, { code: 'ENOENT' }]) {
    t.notOk(isError(thrown))
    t.equal(errorCode(thrown), undefined)
  }
  t.equal(errorCode(Object.assign(new Error('x'), { code: 7 })), undefined)
})
