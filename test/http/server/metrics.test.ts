import t from 'tap'
import { startService } from '../../support/service.ts'

t.test('the metrics', async t => {
  const service = await startService(t)
  const person = await service.person()
  const before = await expose()
  await service.call('POST /auth/logout', { token: person.accessToken })
  await service.call('GET /auth/verify', { token: person.accessToken })
  const after = await expose()

  async function expose (): Promise<Map<string, number>> {
    const { status, headers, text } = await service.call('GET /metrics')
    t.equal(status, 200)
    t.match(headers['content-type'], /^text\/plain; version=0\.0\.4/)
    const lines = text.trim().split('\n')
    const samples = new Map<string, number>()
    for (const line of lines.filter(each => each !== '' && !each.startsWith('#'))) {
      const [, name = '', labels = '', value] = /^(\w+)(\{.*\})? (\S+)$/.exec(line) ?? []
      t.ok(lines.some(each => each.startsWith(`# HELP ${name} `)), `${name} has its HELP`)
      t.ok(lines.includes(`# TYPE ${name} ${name.endsWith('_total') ? 'counter' : 'gauge'}`), 'and its TYPE')
      samples.set(name + labels, Number(value))
    }
    return samples
  }

  t.test('tell how much is revoked, how fresh that is, and what it took', async t => {
    t.equal(before.get('countersign_revocations'), 0)
    t.equal(after.get('countersign_revocations'), 1)
    const age = after.get('countersign_revocations_age_seconds') ?? -1
    t.ok(age >= 0 && age < 5)
    t.ok((after.get('countersign_revocations_lag_seconds') ?? -1) >= 0)
    t.ok((after.get('countersign_revocations_reads_total') ?? 0) >= 1)
    t.equal(after.get('countersign_revocations_failed_reads_total'), 0)
    t.type(after.get('countersign_revocations_heard_total'), 'number')
  })

  t.test('tell how busy the hashes are, and count whom they turned away', async t => {
    for (const name of ['running', 'waiting', 'refused_total', 'expired_total', 'abandoned_total']) t.equal(after.get(`countersign_hash_queue_${name}`), 0, name)
  })

  t.test('count refused tokens by reason, forged ones from the start', async t => {
    t.equal(before.get('countersign_tokens_refused_total{reason="forged"}'), 0)
    t.equal(after.get('countersign_tokens_refused_total{reason="revoked"}'), 1)
  })
})

t.test('a service that listens tells of its process too', async t => {
  const service = await startService(t)
  const origin = await service.listen()
  const response = await fetch(`${origin}/metrics`)
  const text = await response.text()
  for (const name of ['process_cpu_seconds_total', 'process_resident_memory_bytes', 'nodejs_eventloop_lag_seconds']) t.match(text, new RegExp(`^${name} \\d`, 'm'))
})
