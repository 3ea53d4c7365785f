import t from 'tap'
import { WWWAuthenticateChallengeError, type ServerMetadata } from 'openid-client'
import { createTokenEndpointAuth } from '../../../src/providers/catalogue/token-endpoint-auth.ts'

const SECRET = 'secret of acme'
const BOTH: ServerMetadata = { issuer: 'https://login.acme.example', token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'] }

type Method = 'basic' | 'post'

/** A token endpoint that accepts the client with one method only. @returns the methods that were tried */
function endpointFor (registered: Method | undefined, server = BOTH) {
  const refusals: unknown[] = []
  const { authenticate, withClientAuth } = createTokenEndpointAuth(SECRET, { onRefused: error => refusals.push(error) })
  const tried: Method[] = []

  async function request (): Promise<string> {
    // Like the library, which checks the callback first.
    await Promise.resolve()
    const [body, headers] = [new URLSearchParams(), new Headers()]
    authenticate(server, { client_id: 'countersign' }, body, headers)
    const method: Method = headers.has('authorization') ? 'basic' : 'post'
    tried.push(method)
    await new Promise(setImmediate)
    if (method === registered) return 'tokens'
    const response = new Response('{}', { status: 401, headers: { 'www-authenticate': 'Basic' } })
    throw new WWWAuthenticateChallengeError('unknown client', { cause: [{ scheme: 'basic', parameters: {} }], response } as never)
  }

  return { ask: () => withClientAuth(request), tried, refusals }
}

t.test('a client secret is sent in the header first, and in the body if the server refuses that', async t => {
  const [header, body] = [endpointFor('basic'), endpointFor('post')]
  t.equal(await header.ask(), 'tokens')
  t.strictSame(header.tried, ['basic'])
  t.equal(await body.ask(), 'tokens')
  t.equal(await body.ask(), 'tokens')
  t.strictSame(body.tried, ['basic', 'post', 'post'], 'and what was found is kept to')
})

t.test('a server that supports only the body gets it in the body', async t => {
  const { ask, tried } = endpointFor('post', { ...BOTH, token_endpoint_auth_methods_supported: ['client_secret_post'] })
  await ask()
  t.strictSame(tried, ['post'])
})

t.test('concurrent first requests all succeed', async t => {
  const { ask } = endpointFor('post')
  t.strictSame(await Promise.all(Array.from({ length: 10 }, ask)), Array.from({ length: 10 }, () => 'tokens'))
  t.equal(await ask(), 'tokens')
})

t.test('a client that is refused with both methods is refused, and reported', async t => {
  const { ask, tried, refusals } = endpointFor(undefined)
  await t.rejects(ask(), WWWAuthenticateChallengeError)
  t.strictSame(tried, ['basic', 'post'])
  t.equal(refusals.length, 1)
  await t.rejects(ask(), WWWAuthenticateChallengeError)
  t.strictSame(tried, ['basic', 'post', 'basic', 'post'], 'and nothing was learnt of it')
})

t.test('concurrent requests that are refused try each method once', async t => {
  const { ask, tried } = endpointFor(undefined)
  await Promise.allSettled([ask(), ask(), ask()])
  t.strictSame(tried, ['basic', 'basic', 'basic', 'post', 'post', 'post'])
})
