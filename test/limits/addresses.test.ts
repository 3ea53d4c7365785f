import t from 'tap'
import { clientAddress, networkOf, toAddress } from '../../src/http/client-address.ts'
import { clientNetwork, isPrivateAddress } from '../../src/http/client-network.ts'
import { post, registerClient } from '../support/oauth.ts'
import { isProblem } from '../support/problem.ts'
import { PASSWORD, startService, type TestService } from '../support/service.ts'

const guess = (service: TestService, headers: Record<string, string> = {}, from = '203.0.113.7', email = `${crypto.randomUUID()}@example.com`) =>
  service.call('POST /auth/login', { json: { email, password: 'a guess' }, headers, from })

async function admitted (attempt: () => Promise<{ status: number }>, most = 10): Promise<number> {
  let count = 0
  while (count < most && (await attempt()).status === 401) count++
  return count
}

t.test('a network is an IPv4 address or an IPv6 /64', async t => {
  for (const [text, network] of [
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['::FFFF:c000:0207', '192.0.2.7'],
    ['2001:db8:0:1::7', '2001:db8:0:1::/64'],
    ['2001:0DB8:0000:0001:ffff:ffff:ffff:ffff', '2001:db8:0:1::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['192.0.2.7:4711', '192.0.2.7'],
    ['[2001:db8:0:1::7]:4711', '2001:db8:0:1::/64']
  ] as const) t.equal(networkOf(toAddress(text) ?? null), network, text)
  for (const text of ['', 'garbage', '1.2.3', '1.2.3.4.5', '999.1.1.1', ':4711', 'a'.repeat(1_000)]) t.equal(toAddress(text), undefined, text.slice(0, 20))
  t.equal(networkOf(null), 'local')
})

t.test('what a proxy wrote is believed where it is an address, else the peer of the socket', async t => {
  const of = (ip: string, remoteAddress: string | undefined) => clientAddress({ ip, raw: { socket: { remoteAddress } } as never })
  t.equal(of('garbage', '198.51.100.1'), '198.51.100.1')
  t.equal(of('5.6.7.8:1234', '198.51.100.1'), '5.6.7.8')
  t.equal(of('garbage', undefined), null)
})

t.test('private addresses', async t => {
  t.same(['127.0.0.1', '10.0.0.1', '172.16.0.1', '192.168.1.1', '100.64.0.1', '169.254.0.1', '::1', 'fd00::1', 'fe80::1'].filter(address => !isPrivateAddress(address)), [])
  t.same(['8.8.8.8', '2606:4700::1', '172.32.0.1'].filter(isPrivateAddress), [])
})

t.test('behind a trusted proxy each client has limits of its own, whatever else it writes into the header', async t => {
  const service = await startService(t, { TRUST_PROXY: '1', RATE_LIMITS: 'network=3/1m' })
  t.equal(await admitted(() => guess(service, { 'x-forwarded-for': `${Math.random()}, 198.51.100.1` }, '10.0.0.1')), 3)
  t.equal(await admitted(() => guess(service, { 'x-forwarded-for': '198.51.100.2' }, '10.0.0.1')), 3)
  t.equal(await admitted(() => guess(service, { 'x-forwarded-for': 'garbage' }, '10.0.0.1')), 3, 'no address at all is the proxy')
  t.equal(await admitted(() => guess(service, { 'x-forwarded-for': 'rubbish' }, '10.0.0.1')), 0)
})

t.test('a forwarded header from an untrusted private address turns the limits by network off, with a warning and a metric', async t => {
  const service = await startService(t, { RATE_LIMITS: 'network=3/1m' })
  const forwarded = { 'x-forwarded-for': '198.51.100.1' }
  t.equal(await admitted(() => guess(service, forwarded, '10.0.0.1')), 10)
  t.equal(await admitted(() => guess(service, { forwarded: 'for=198.51.100.1' }, '10.0.0.1')), 10)
  t.equal(service.log.filter(({ msg }) => msg.includes('TRUST_PROXY does not name')).length, 1)
  t.match((await service.call('GET /metrics')).text, /countersign_untrusted_forwarded_requests_total 20/)
  t.equal(await admitted(() => guess(service, forwarded, '203.0.113.1')), 3, 'from a public address it is an invention')
  t.equal(await admitted(() => guess(service, {}, '10.0.0.1')), 3, 'without the header the private address counts')
  t.equal(await admitted(() => guess(service, forwarded, '10.0.0.1', 'one@example.com')), 5, 'an account is limited all the same')
})

t.test('a proxy that is trusted stays so when it makes requests of its own, or forwards no address', async t => {
  const register = ({ call }: TestService, value: string, from = '127.0.0.1') => call('POST /auth/register', { json: { email: `${crypto.randomUUID()}@example.com`, password: PASSWORD }, headers: { 'x-forwarded-for': value }, from })
  for (const value of ['127.0.0.1', '', ' ', ',']) {
    for (const trust of ['1', '127.0.0.1']) {
      await t.test(`${JSON.stringify(value)}, TRUST_PROXY=${trust}`, async t => {
        const service = await startService(t, { TRUST_PROXY: trust, RATE_LIMITS: 'register=2/1m' })
        const statuses = []
        for (let count = 0; count < 3; count++) statuses.push((await register(service, value)).status)
        t.strictSame(statuses, [201, 201, 429])
        t.strictSame(service.log.filter(({ msg }) => msg.includes('TRUST_PROXY')), [])
      })
    }
  }
  const service = await startService(t, { TRUST_PROXY: '10.0.0.1', RATE_LIMITS: 'register=2/1m' })
  for (let count = 0; count < 3; count++) t.equal((await register(service, '127.0.0.1')).status, 201, 'one that is not named is not trusted, whatever it forwards')
  t.equal(service.log.filter(({ msg }) => msg.includes('TRUST_PROXY does not name')).length, 1)
})

t.test('behind a Unix socket a forwarded header that nothing trusts is no network', async t => {
  const of = (ip: string | undefined, headers: Record<string, string>) => clientNetwork({ ip: ip as string, ips: [undefined as unknown as string, ...ip === undefined ? [] : [ip]], headers, raw: { socket: { remoteAddress: undefined } } as never })
  t.equal(of(undefined, { 'x-forwarded-for': '198.51.100.1' }), null)
  t.equal(of(undefined, { forwarded: 'for=198.51.100.1' }), null)
  t.equal(of('198.51.100.1', { 'x-forwarded-for': '198.51.100.1' }), '198.51.100.1', 'what TRUST_PROXY covers')
  t.equal(of(undefined, {}), 'local')
})

t.test('a login through an untrusted proxy makes no network known', async t => {
  const service = await startService(t, { RATE_LIMITS: 'login=10/1m' })
  const person = await service.person()
  await service.call('POST /auth/login', { json: { email: person.email, password: person.password }, headers: { 'x-forwarded-for': '198.51.100.1' }, from: '10.0.0.1' })
  t.same(await service.sql("SELECT network FROM sessions WHERE ip = '10.0.0.1'"), [{ network: null }])
})

t.test('TRUST_PROXY=true is warned of at the start', async t => {
  for (const [trust, count] of [['true', 1], ['1', 0], ['false', 0]] as const) {
    await t.test(trust, async t => {
      const service = await startService(t, { TRUST_PROXY: trust })
      t.equal(service.log.filter(({ msg, level }) => level === 40 && msg.startsWith('TRUST_PROXY=true')).length, count)
    })
  }
})

t.test('a front end that renders on a server forwards its client', async t => {
  const service = await startService(t, { RATE_LIMITS: 'network=3/1m' })
  const front = await registerClient(service, { scopes: ['clients:forward'] })
  const other = await registerClient(service, { scopes: ['introspect'] })
  const tokenOf = async (client: typeof front) => (await post(service, '/oauth/token', { grant_type: 'client_credentials' }, client)).body.access_token ?? ''
  const token = await tokenOf(front)
  const headers = (address: string, by = token) => ({ 'countersign-client': by, 'countersign-client-ip': address })

  t.test('whose address counts, in limits and on record', async t => {
    t.equal(await admitted(() => guess(service, headers('198.51.100.1'))), 3)
    t.equal(await admitted(() => guess(service, headers('2001:db8::1'))), 3)
    t.equal(await admitted(() => guess(service, headers('2001:db8::2'))), 0, 'the same /64')
    const { body } = await service.call<{ user: { id: string } }>('POST /auth/register', { json: { email: 'ada@example.com', password: 'correct horse battery' }, headers: headers('::ffff:198.51.100.9') })
    t.same(await service.sql('SELECT ip FROM sessions WHERE user_id = $1::uuid', body.user.id), [{ ip: '198.51.100.9' }])
  })

  t.test('without a query', async t => {
    const { query } = service.database
    const names: string[] = []
    service.database.query = (statement, values) => {
      names.push(statement.name)
      return query(statement, values)
    }
    t.teardown(() => { service.database.query = query })
    isProblem(t, await service.call('GET /auth/verify', { headers: headers('198.51.100.5') }), 'unauthenticated')
    t.same(names.filter(name => name.startsWith('clients.')), [])
    await service.call('POST /oauth/token', { headers: { ...headers('198.51.100.5'), authorization: 'Basic Y2xpZW50XzAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDph', 'content-type': 'application/x-www-form-urlencoded' }, text: 'grant_type=client_credentials' })
    t.same(names.filter(name => name.startsWith('clients.')), ['clients.find'], 'which this test would see')
  })

  t.test('and a wrong token is refused', async t => {
    for (const wrong of ['', 'nonsense', await tokenOf(other), (await service.person()).accessToken]) {
      isProblem(t, await guess(service, headers('198.51.100.7', wrong)), 'invalid_client')
    }
    isProblem(t, await guess(service, { 'countersign-client-ip': '198.51.100.7' }), 'invalid_client')
    isProblem(t, await guess(service, headers('garbage')), 'malformed_request')
    isProblem(t, await guess(service, { 'countersign-client': token }), 'malformed_request')
  })
})
