import t, { type Test } from 'tap'
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
    await compare(t, path, pair => ({ known: () => timeOf(known), unknown: () => timeOf(`nobody${pair}@example.com`) }))
  }
})

t.test('nor does the time that a wrong code takes', { ...onPostgres, timeout: 600_000 }, async t => {
  const service = await startService(t, { CODE_LOGIN: 'true' })
  const { email: known } = await service.person()
  const ask = async (email: string) => (await service.call<{ requestId: string }>('POST /auth/code', { json: { email } })).body.requestId
  // Each code is good for five.
  const requests: Array<{ known: string, unknown: string }> = []
  for (let pair = 0; pair < PAIRS; pair += 5) requests.push({ known: await ask(known), unknown: await ask(`nobody${pair}@example.com`) })
  await until(async () => (await service.sql('SELECT 1 FROM outbox WHERE dead_at IS NULL')).length === 0)
  const timeOf = async (requestId: string | undefined) => {
    const began = performance.now()
    const { status } = await service.call('POST /auth/code/login', { json: { requestId, code: '042917' } })
    const time = performance.now() - began
    if (status !== 401) throw new Error(`A guess was answered ${status}`)
    return time
  }
  await compare(t, '/auth/code/login', pair => {
    const request = requests[Math.floor(pair / 5)]
    return { known: () => timeOf(request?.known), unknown: () => timeOf(request?.unknown) }
  })
})

/** Takes the times of many pairs, in turns, so that whatever drifts touches both. */
async function compare (t: Test, path: string, timesOf: (pair: number) => Record<'known' | 'unknown', () => Promise<number>>) {
  const gaps: number[] = []
  for (let pair = 0; pair < PAIRS; pair++) {
    const { known, unknown } = timesOf(pair)
    if (pair % 2) gaps.push(await known() - await unknown())
    else gaps.push(-(await unknown()) + await known())
  }
  const gap = Math.abs(median(gaps))
  t.comment(`${path}: ${gap.toFixed(3)} ms over ${PAIRS} pairs`)
  t.ok(gap < MOST, `${path}: ${gap} ms`)
}
