import { createHash, createHmac, randomBytes } from 'node:crypto'
import t from 'tap'
import { createHmacKey } from 'countersign-verifier/internal'
import { rsaKeyPair } from '../support/rsa-keys.ts'

const ISSUER = 'https://auth.example.com'
const secret = randomBytes(48).toString('base64url')

t.test('a kid is a MAC over the issuer, and no digest of the secret', async t => {
  const { kid } = createHmacKey(secret, ISSUER, 'api')
  t.equal(kid, createHmac('sha256', secret).update(`countersign:kid:v1|${ISSUER}`).digest().subarray(0, 8).toString('base64url'))
  t.equal(createHmacKey(secret, ISSUER, 'other').kid, kid)
  t.not(createHmacKey(secret, 'https://other.example.com', 'api').kid, kid)
  t.not(createHmacKey(`${secret}x`, ISSUER, 'api').kid, kid)
  for (const encoding of ['base64url', 'hex'] as const) {
    t.notOk(createHash('sha256').update(secret).digest(encoding).startsWith(kid))
  }
})

t.test('a key knows its algorithm, its audience and the header it is used with', async t => {
  const { alg, audience, kid, header } = createHmacKey(secret, ISSUER, 'api')
  t.equal(alg, 'HS256')
  t.equal(audience, 'api')
  t.ok(header.endsWith('.'))
  t.strictSame(JSON.parse(Buffer.from(header, 'base64url').toString()), { alg: 'HS256', typ: 'at+jwt', kid })
})

t.test('the UTF-8 bytes of the secret are the key as they stand', async t => {
  for (const secret of ['пароль, который достаточно длинный', '🐎🐄🐖🐑🐐🐓🐇🦆', 'a secret of exactly 32 characters', 'x'.repeat(200)]) {
    const signature = createHmac('sha256', Buffer.from(secret)).update('a.b').digest('base64url')
    t.ok(createHmacKey(secret, ISSUER, 'api').verify('a.b.c', 3, signature), secret)
  }
})

t.test('a key that is no shared secret is refused, and not repeated', async t => {
  const { publicKey, privateKey } = rsaKeyPair()
  const jwk = JSON.stringify(publicKey.export({ format: 'jwk' }))
  const refused: Record<string, string> = {
    'a public PEM': publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    'a PKCS #1 PEM': publicKey.export({ type: 'pkcs1', format: 'pem' }).toString(),
    'a private PEM': privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    'a PEM after white space': `\n  ${publicKey.export({ type: 'spki', format: 'pem' })}`,
    'a PEM on one line': publicKey.export({ type: 'spki', format: 'pem' }).toString().replaceAll('\n', '\\n'),
    'a certificate': `-----BEGIN CERTIFICATE-----\n${'A'.repeat(64)}\n-----END CERTIFICATE-----`,
    'an SSH key': `ssh-ed25519 ${'A'.repeat(68)}`,
    'a JWK': jwk,
    'a JWK after white space': `\n ${jwk}`,
    'a symmetric JWK': JSON.stringify({ kty: 'oct', k: randomBytes(32).toString('base64url') }),
    'a JWKS': JSON.stringify({ keys: [JSON.parse(jwk)] }),
    nothing: '',
    'a short secret': 's'.repeat(31),
    'a short secret of wide characters': '✓'.repeat(10)
  }
  for (const [name, secret] of Object.entries(refused)) {
    const error = t.throws(() => createHmacKey(secret, ISSUER, 'api'), TypeError, name)
    t.match(error, { message: /^An HMAC key / }, name)
    if (secret !== '') t.notOk(String(error).includes(secret), `${name} is not repeated`)
  }
  t.ok(createHmacKey('s'.repeat(32), ISSUER, 'api').kid)
  t.ok(createHmacKey(`${'✓'.repeat(10)}xx`, ISSUER, 'api').kid, 'it is bytes that count')
})

t.test('a secret that is not text is refused', async t => {
  for (const secret of [undefined, null, 42, {}, [], randomBytes(48), Array.from(randomBytes(48))]) {
    t.throws(() => createHmacKey(secret as string, ISSUER, 'api'), TypeError)
  }
})
