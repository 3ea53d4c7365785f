import * as oauth from 'oauth4webapi'
import * as openid from 'openid-client'
import t from 'tap'
import { freePort } from '../support/free-port.ts'
import { registerClient } from '../support/oauth.ts'
import { startService } from '../support/service.ts'

t.test('third-party clients', async t => {
  const port = await freePort()
  const origin = `http://127.0.0.1:${port}`
  const service = await startService(t, { PUBLIC_URL: origin })
  await service.app.listen({ host: '127.0.0.1', port })
  const client = await registerClient(service)

  t.test('openid-client discovers the service, gets a token, introspects a user\'s and revokes it', async t => {
    for (const authentication of [openid.ClientSecretBasic(client.secret), openid.ClientSecretPost(client.secret)]) {
      const configuration = await openid.discovery(new URL(origin), client.id, undefined, authentication, { algorithm: 'oauth2', execute: [openid.allowInsecureRequests] })
      t.match(configuration.serverMetadata(), { issuer: origin, introspection_endpoint: `${origin}/oauth/introspect` })

      const own = await openid.clientCredentialsGrant(configuration, { scope: 'introspect' })
      t.match(own, { token_type: 'bearer', expires_in: 600, scope: 'introspect' })

      const { accessToken, refreshToken, user } = await service.person()
      t.match(await openid.tokenIntrospection(configuration, accessToken, { token_type_hint: 'access_token' }), { active: true, sub: user.id, aud: 'api', role: 'user' })
      await openid.tokenRevocation(configuration, refreshToken, { token_type_hint: 'refresh_token' })
      t.strictSame(await openid.tokenIntrospection(configuration, accessToken), { active: false })
      t.equal((await service.call('GET /auth/verify', { token: accessToken })).status, 401)
    }
  })

  t.test('openid-client understands the errors', async t => {
    const wrong = await openid.discovery(new URL(origin), client.id, undefined, openid.ClientSecretBasic('wrong'), { algorithm: 'oauth2', execute: [openid.allowInsecureRequests] })
    await t.rejects(openid.clientCredentialsGrant(wrong), { code: 'OAUTH_WWW_AUTHENTICATE_CHALLENGE' })
    const right = await openid.discovery(new URL(origin), client.id, undefined, openid.ClientSecretBasic(client.secret), { algorithm: 'oauth2', execute: [openid.allowInsecureRequests] })
    await t.rejects(openid.clientCredentialsGrant(right, { scope: 'everything' }), { code: 'OAUTH_RESPONSE_BODY_ERROR', error: 'invalid_scope', status: 400 })
  })

  t.test('oauth4webapi, which checks each response against its RFC, does the same', async t => {
    const options = { [oauth.allowInsecureRequests]: true }
    const issuer = new URL(origin)
    const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { ...options, algorithm: 'oauth2' }))
    const self: oauth.Client = { client_id: client.id }
    for (const authentication of [oauth.ClientSecretBasic(client.secret), oauth.ClientSecretPost(client.secret)]) {
      const granted = await oauth.processClientCredentialsResponse(server, self, await oauth.clientCredentialsGrantRequest(server, self, authentication, { scope: 'introspect' }, options))
      t.match(granted, { token_type: 'bearer', expires_in: 600, scope: 'introspect' })

      const { accessToken, user } = await service.person()
      const ask = async () => oauth.processIntrospectionResponse(server, self, await oauth.introspectionRequest(server, self, authentication, accessToken, options))
      t.match(await ask(), { active: true, sub: user.id, iss: origin, token_type: 'Bearer' })
      t.equal(await oauth.processRevocationResponse(await oauth.revocationRequest(server, self, authentication, accessToken, options)), undefined)
      t.strictSame(await ask(), { active: false })
    }
  })
})

t.test('a token signed with a private key is verified through the metadata alone (RFC 9068)', async t => {
  const port = await freePort()
  const origin = `http://127.0.0.1:${port}`
  const { privateKey } = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign']) as CryptoKeyPair
  const pkcs8 = Buffer.from(await crypto.subtle.exportKey('pkcs8', privateKey)).toString('base64')
  const service = await startService(t, { PUBLIC_URL: origin, JWT_ALGORITHM: 'ES256', JWT_PRIVATE_KEY: `-----BEGIN PRIVATE KEY-----\\n${pkcs8}\\n-----END PRIVATE KEY-----` })
  await service.app.listen({ host: '127.0.0.1', port })
  const { accessToken, user } = await service.person()

  const options = { [oauth.allowInsecureRequests]: true }
  const issuer = new URL(origin)
  const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { ...options, algorithm: 'oauth2' }))
  const request = new Request('https://cart.example.com/', { headers: { authorization: `Bearer ${accessToken}` } })
  t.match(await oauth.validateJwtAccessToken(server, request, 'api', options), { sub: user.id, client_id: 'countersign', role: 'user' })
})
