import t from 'tap'
import { v7 as uuidv7 } from 'uuid'
import { generateSecret } from '../../src/config/generated-secrets.ts'
import { openDatabase } from '../../src/database/open-database.ts'
import { createTokenVault } from '../../src/providers/tokens/token-vault.ts'
import { deriveKeyRing } from '../../src/tokens/derived-keys.ts'
import { createEncryption } from '../../src/tokens/encryption.ts'
import { silent, testDatabase } from '../support/database.ts'
import { command } from './command.ts'

const [first, second, foreign] = [generateSecret(), generateSecret(), generateSecret()]
const vaultOf = (...secrets: string[]) => createTokenVault(createEncryption(deriveKeyRing(secrets, 'provider-token')))
const messagesOf = (...secrets: string[]) => createEncryption(deriveKeyRing(secrets, 'outbox'))
const QUEUE = { name: 'test.queue', text: "INSERT INTO outbox (id, kind, payload, expires_at) VALUES ($1::uuid, 'mail', $2, now() + interval '1 day')" }
const TOKENS = { accessToken: 'an access token', refreshToken: 'a refresh token', expiresIn: null, scope: null }

t.test('secret reencrypt puts every token under the first secret, and counts what needs another', async t => {
  const { url, dataDir = '' } = await testDatabase(t)
  const place = (subject: string) => ({ issuer: 'https://login.example.com', subject })
  const onDatabase = async <T>(work: (database: Awaited<ReturnType<typeof openDatabase>>) => Promise<T>): Promise<T> => {
    const database = await openDatabase({ ...url !== undefined && { url }, dataDir, log: silent })
    return await work(database).finally(() => database.close())
  }
  const settings = { ...url !== undefined && { DATABASE_URL: url }, DATA_DIR: dataDir, JWT_SECRET: generateSecret() }
  const run = (secrets: string[], ...options: string[]) => command(t, ['secret', 'reencrypt', ...options], { settings: { ...settings, COUNTERSIGN_SECRET: secrets.join(',') } }).ended

  await onDatabase(async ({ prisma, query }) => {
    const user = await prisma.user.create({ data: { id: crypto.randomUUID(), email: 'ada@example.com' } })
    const identity = (subject: string, { accessToken, refreshToken }: { accessToken: string | null, refreshToken: string | null }) =>
      ({ id: crypto.randomUUID(), userId: user.id, provider: 'acme', ...place(subject), accessToken, refreshToken })
    await prisma.identity.createMany({
      data: [
        ...Array.from({ length: 250 }, (_, count) => identity(`old-${count}`, vaultOf(first).encrypt(place(`old-${count}`), TOKENS))),
        identity('half', { ...vaultOf(first).encrypt(place('half'), TOKENS), refreshToken: null }),
        identity('new', vaultOf(second).encrypt(place('new'), TOKENS)),
        identity('foreign', vaultOf(foreign).encrypt(place('foreign'), TOKENS)),
        identity('without', { accessToken: null, refreshToken: null })
      ]
    })
    const queue = async (secret: string, payload: string) => {
      const id = uuidv7()
      await query(QUEUE, [id, messagesOf(secret).encrypt(payload, `outbox:${id}`)])
    }
    for (let count = 0; count < 201; count++) await queue(first, `message ${count}`)
    await queue(second, 'new')
    await queue(foreign, 'foreign')
    await query({ name: 'test.expired', text: "INSERT INTO outbox (id, kind, payload, expires_at, dead_at) VALUES (gen_random_uuid(), 'mail', '', now(), now())" }, [])
    const hours = (count: number) => new Date(Date.now() + count * 3_600_000)
    for (const [secret, channel, idleEndsAt] of [[first, 'body', hours(1)], [second, 'body', hours(1)], [first, 'session', hours(1)], [first, 'cookie', hours(-1)]] as const) {
      await prisma.session.create({ data: { id: crypto.randomUUID(), userId: user.id, channel, nonce: Buffer.alloc(16), keyId: deriveKeyRing([secret], 'refresh')[0].id, idleEndsAt, endsAt: hours(2) } })
    }
  })

  const done = await run([second, first], '--json')
  t.match(done, { code: 0, stderr: '' })
  t.strictSame(JSON.parse(done.stdout), { reencrypted: 251, reencryptedMessages: 201, needOldSecret: { identities: 1, sessions: 1, messages: 1 } })

  await onDatabase(async ({ prisma, query }) => {
    const messages = await query<{ id: string, payload: string }>({ name: 'test.messages', text: 'SELECT id::text AS id, payload FROM outbox' }, [])
    t.equal(messages.filter(({ id, payload }) => messagesOf(second).decrypt(payload, `outbox:${id}`) !== undefined).length, 202)
    t.equal(new Set(messages.map(({ id, payload }) => messagesOf(second).decrypt(payload, `outbox:${id}`))).size, 203, 'each has its own text still')
    await query({ name: 'test.foreign', text: "DELETE FROM outbox WHERE split_part(payload, '.', 1) <> $1" }, [messagesOf(second).keyId])
    const vault = vaultOf(second)
    const rows = await prisma.identity.findMany()
    const readable = rows.filter(row => vault.decrypt(row, 'access', row.accessToken ?? '') === TOKENS.accessToken)
    t.equal(readable.length, 252)
    t.equal(readable.filter(row => vault.decrypt(row, 'refresh', row.refreshToken ?? '') === TOKENS.refreshToken).length, 251)
    t.match(rows.find(({ subject }) => subject === 'half'), { refreshToken: null })
    await prisma.identity.deleteMany({ where: { subject: 'foreign' } })
    await prisma.session.deleteMany()
  })

  t.match(await run([second, first]), { code: 0, stdout: /^Re-encrypted the tokens of 0 identities and 0 messages\. Nothing needs an old secret.*\n$/, stderr: '' })
  t.match(await run([generateSecret()], '--json'), { code: 0, stdout: /"reencrypted":0,"needOldSecret":\{"identities":252,.*"messages":202/ }, 'without the old secret nothing is lost, and it is told')
})
