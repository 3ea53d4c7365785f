import t from 'tap'
import { onPostgres } from '../support/database.ts'
import { startService } from '../support/service.ts'
import { until } from '../support/until.ts'

const PAIRS = 500
// Of the median, in ms: as for a login. What it is on a quiet machine, the comment says; that no request looks at the accounts,
// `recovery/password.test.ts` shows.
const MOST = 5

const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN

t.test('the time of an answer does not tell whether an address has an account', { ...onPostgres, timeout: 600_000 }, async t => {
  const open = await startService(t, { CODE_LOGIN: 'true' })
  const verified = await startService(t, { REQUIRE_VERIFIED_EMAIL: 'true', DATABASE_URL: open.config.databaseUrl ?? '' })
  const { email: known } = await open.person()
  for (const [service, path, fields] of [[open, '/auth/password/forgot', {}], [open, '/auth/code', {}], [open, '/auth/email/resend', {}], [verified, '/auth/register', { password: 'correct horse battery' }]] as const) {
    const timeOf = async (email: string) => {
      const began = performance.now()
      const { status } = await service.call(`POST ${path}`, { json: { email, ...fields } })
      const time = performance.now() - began
      if (status !== 202) throw new Error(`${path} was answered ${status}`)
      // What is delivered after the answer would slow the next one down.
      await until(async () => (await service.sql('SELECT 1 FROM outbox WHERE dead_at IS NULL')).length === 0)
      return time
    }
    const gaps: number[] = []
    for (let pair = 0; pair < PAIRS; pair++) {
      const unknown = `nobody${pair}@example.com`
      // In turns, so that whatever drifts touches both.
      const [first, second] = pair % 2 ? [known, unknown] : [unknown, known]
      const times = { [first]: await timeOf(first), [second]: await timeOf(second) }
      gaps.push((times[known] ?? NaN) - (times[unknown] ?? NaN))
    }
    const gap = Math.abs(median(gaps))
    t.comment(`${path}: ${gap.toFixed(3)} ms over ${PAIRS} pairs`)
    t.ok(gap < MOST, `${path}: ${gap} ms`)
  }
})
