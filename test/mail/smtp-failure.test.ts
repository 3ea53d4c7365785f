import { runInNewContext } from 'node:vm'
import t from 'tap'
import { describeFailure } from '../../src/mail/smtp-failure.ts'

// Node's errors are of another realm where a test runner gives its files a global object of their own.
t.test('what failed is said of an error of any realm', t => {
  const foreign = runInNewContext("Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), { code: 'ESOCKET', command: 'CONN' })") as Error
  t.notOk(foreign instanceof Error)
  t.equal(describeFailure(foreign), 'CONN: connect ECONNREFUSED 127.0.0.1:1: ESOCKET')
  t.end()
})
