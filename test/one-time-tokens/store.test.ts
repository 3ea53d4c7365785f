import t from 'tap'
import { createMailedSecretStore } from '../../src/one-time-tokens/mailed-secret-store.ts'
import { createOneTimeTokenStore } from '../../src/one-time-tokens/store.ts'
import { openTestDatabase } from '../support/database.ts'

t.test('one-time tokens', async t => {
  const database = await openTestDatabase(t)
  const store = createOneTimeTokenStore(database)
  const { id: userId } = await database.prisma.user.create({ data: { id: crypto.randomUUID(), email: 'ada@example.com' } })
  const rows = () => database.prisma.oneTimeToken.count()

  t.test('of many concurrent marks as used, one succeeds', async t => {
    const marked = await Promise.all(Array.from({ length: 20 }, () => store.markUsed('id_token', 'a token', 60)))
    t.strictSame(marked.filter(Boolean), [true])
    t.equal(await store.markUsed('id_token', 'another token', 60), true)
    t.equal(await store.markUsed('sign_in_flow', 'a token', 60), true, 'the same text is another secret elsewhere')
  })

  t.test('of many concurrent redemptions, one succeeds, and returns the data of the token', async t => {
    await store.issue('sign_in_code', 'a code', { userId, data: { challenge: 'x', place: 'y' }, life: 60 })
    const used = await Promise.all(Array.from({ length: 20 }, () => store.redeem('sign_in_code', 'a code', { challenge: 'x' })))
    t.strictSame(used.filter(each => each !== undefined), [{ userId, data: { challenge: 'x', place: 'y' } }])
  })

  t.test('are redeemed only for their purpose, before they expire, and with the expected data', async t => {
    await store.issue('sign_in_code', 'bound', { userId, data: { challenge: 'x' }, life: 60 })
    await store.issue('sign_in_code', 'late', { userId, data: { challenge: 'x' }, life: 0 })
    t.equal(await store.redeem('sign_in_code', 'bound', { challenge: 'z' }), undefined)
    t.equal(await store.redeem('id_token', 'bound', { challenge: 'x' }), undefined)
    t.equal(await store.redeem('sign_in_code', 'never was', {}), undefined)
    t.equal(await store.redeem('sign_in_code', 'late', { challenge: 'x' }), undefined)
    t.match(await store.redeem('sign_in_code', 'bound', { challenge: 'x' }), { userId }, 'and is not used up by a wrong one')
  })

  t.test('are not stored in clear', async t => {
    await store.issue('sign_in_code', 'canary-one-time-secret', { userId, data: {}, life: 60 })
    const found = await database.query<{ row: string }>({ name: 'test.one-time', text: "SELECT encode(hash, 'escape') || purpose || data::text AS row FROM one_time_tokens WHERE data IS NOT NULL" }, [])
    t.ok(found.length > 0)
    for (const { row } of found) t.notMatch(row, /canary/)
  })

  t.test('are purged a day after they have expired, in batches', async t => {
    await database.query({ name: 'test.expire', text: "UPDATE one_time_tokens SET expires_at = now() - CASE WHEN purpose = 'sign_in_flow' THEN interval '23 hours' ELSE interval '25 hours' END WHERE purpose <> 'sign_in_code'" }, [])
    const before = await rows()
    t.equal(await store.purge(2), 2)
    while (await store.purge(2) > 0);
    t.ok(await rows() > 0 && await rows() < before, 'and no other')
  })

  t.test('that stand for a code which was never mailed go when it would have ended, and no sooner', async t => {
    const secrets = createMailedSecretStore(database, [new Uint8Array(32)])
    const in5s = (sign: number) => new Date(Date.now() + sign * 5_000)
    await secrets.issueDecoy({ token: 'ended', requestId: 'ended', expiresAt: in5s(-1) })
    await secrets.issueDecoy({ token: 'pending', requestId: 'pending', expiresAt: in5s(1) })
    await secrets.issue({ purpose: 'password_reset', token: 'a link', byCode: { requestId: 'mailed', code: '042917' }, userId, data: {}, expiresAt: in5s(-1) })
    while (await store.purge(2) > 0);
    const left = await database.query<{ purpose: string }>({ name: 'test.left', text: "SELECT purpose FROM one_time_tokens WHERE purpose IN ('decoy', 'password_reset') ORDER BY purpose" }, [])
    t.strictSame(left.map(({ purpose }) => purpose), ['decoy', 'password_reset'])

    // What has ended is not counted, mailed or not: otherwise the time would tell them apart from then on.
    const triesOf = async (requestId: string) => {
      await secrets.show(['password_reset'], { requestId, code: '000000' })
      return (await database.query<{ tries: number }>({ name: 'test.tries', text: 'SELECT tries FROM one_time_tokens WHERE request_hash = sha256($1::bytea)' }, [Buffer.from(requestId)]))[0]?.tries
    }
    t.equal(await triesOf('pending'), 1)
    t.equal(await triesOf('mailed'), 0)
  })

  t.test('are deleted with their user', async t => {
    await database.prisma.user.delete({ where: { id: userId } })
    t.equal(await database.prisma.oneTimeToken.count({ where: { userId } }), 0)
  })
})
