import t from 'tap'
import { isReady } from '../support/ready.ts'
import { startRespServer } from '../support/resp-server.ts'
import { startService } from '../support/service.ts'
import { until } from '../support/until.ts'
import { statefulSession } from './session-rows.ts'

const CANARY = 'canary-in-redis'
const bulk = (text: string) => `$${text.length}\r\n${text}\r\n`

/** Replies that no Redis gives, or only for keys that somebody else has set. */
const REPLIES: Readonly<Record<string, string>> = {
  'a list': `*2\r\n${bulk(CANARY)}${bulk(CANARY)}`,
  'an empty list': '*0\r\n',
  'a list of lists': `*1\r\n*1\r\n${bulk(CANARY)}`,
  'a missing list': '*-1\r\n',
  'a number': ':42\r\n',
  'a status': `+${CANARY}\r\n`,
  'an error': `-WRONGTYPE ${CANARY}\r\n`,
  'an error of another kind': `-${CANARY}\r\n`,
  'no JSON': bulk(`x.{"${CANARY}`),
  'JSON of another kind': bulk(`x.["${CANARY}"]`),
  'binary data': bulk('\x00\xff\x00.\xfe'),
  nothing: '$-1\r\n'
}

t.test('a Redis that answers something else than was asked', async t => {
  const redis = await startRespServer(t)
  const service = await startService(t, { REDIS_URL: redis.url, LOG_LEVEL: 'trace' })
  await until(async () => await isReady(service))
  const ada = await service.person()

  for (const command of ['get', 'set', 'del']) {
    for (const [name, reply] of Object.entries(REPLIES)) {
      t.test(`${command}: ${name} counts as a cache miss, and is not quoted`, async t => {
        redis.answer(command, reply)
        const before = redis.asked.length
        const { session } = await statefulSession(service, ada)
        // Opening it has not put it into the memory of the process: Redis is asked first.
        t.equal((await service.call('GET /auth/verify', { cookies: { session } })).status, 200)
        t.equal((await service.call('POST /auth/logout', { cookies: { session }, headers: { 'x-countersign': '1' } })).status, 204)
        t.equal((await service.call('GET /auth/verify', { cookies: { session } })).status, 401)
        t.ok(redis.asked.slice(before).includes(command === 'del' ? 'get' : command), 'it was asked')
        t.notMatch(service.logText(), CANARY)
        redis.answer(command, '+OK\r\n')
      })
    }
  }

  t.test('to a ping is reported as unavailable, without what it said', async t => {
    for (const [name, reply] of Object.entries(REPLIES)) {
      redis.answer('ping', reply)
      t.match(await service.call('GET /health/ready'), { status: 200, body: { checks: { redis: 'down' } } }, name)
    }
    redis.answer('ping', '+PONG\r\n')
    t.ok(await isReady(service))
    t.notMatch(service.logText(), CANARY)
  })
})
