import { createHmac } from 'node:crypto'
import type { TokenFailure } from 'countersign-verifier'
import { MAX_ACCESS_TOKEN_LIFE, MAX_TOKEN_BYTES, type AccessTokenClaims } from 'countersign-verifier/internal'
import { rsaKeyPair } from './rsa-keys.ts'

/** Whoever holds the key: the service itself, and everyone it shares `JWT_SECRET` with. */
export interface TokenIssuer {
  secret: string
  issuer: string
  audience: string
  /** Payload text without a `jti` -> its `jti`. Whoever has none signs all the same, but seals nothing. */
  seal?: (payload: string) => string
}

/** A token that every face must refuse. */
export interface HostileToken {
  name: string
  reason: TokenFailure
  /** @param now Unix seconds; write just before use, for some are refused by a second */
  write (now: number): string
}

/** A token that looks hostile and is not: every face must accept it, for `SUBJECT`. */
export type OddToken = Omit<HostileToken, 'reason'>

/** Claims that may be anything; `undefined` leaves one out. */
export type AnyClaims = Record<string, unknown>

/** Whom every token of the tables speaks of. */
export const SUBJECT = {
  sub: '0198c5a4-6f5e-7a6b-9d3f-2f6a3b1c4d5e',
  sid: '0198c5a4-7000-7b1c-8e2d-3a4b5c6d7e8f',
  role: 'user',
  email: 'ada@example.com'
} as const

const PLAIN_JTI = 'A'.repeat(43)

/** Writes tokens by hand, each part as it is told. Every choice of the service can be overruled. */
export interface TokenWriter {
  readonly kid: string
  header (changes?: AnyClaims): string
  payload (now: number, changes?: AnyClaims): string
  /** Adds the `jti` to an object's text, at its end. */
  withJti (payload: string): string
  /** Two texts, encoded and signed. */
  write (header: string, payload: string): string
  /** Two parts, signed as they stand. */
  sign (header: string, payload: string, key?: string | Buffer, hash?: string): string
  good (now: number, changes?: AnyClaims): string
}

export function createTokenWriter ({ secret, issuer, audience, seal }: TokenIssuer): TokenWriter {
  const kid = createHmac('sha256', secret).update(`countersign:kid:v1|${issuer}`).digest().toString('base64url', 0, 8)

  function sign (header: string, payload: string, key: string | Buffer = secret, hash = 'sha256'): string {
    return `${header}.${payload}.${createHmac(hash, key).update(`${header}.${payload}`).digest('base64url')}`
  }

  function withJti (payload: string): string {
    return `${payload.slice(0, -1)},"jti":"${seal?.(payload) ?? PLAIN_JTI}"}`
  }

  function header (changes: AnyClaims = {}): string {
    return JSON.stringify({ alg: 'HS256', typ: 'at+jwt', kid, ...changes })
  }

  function payload (now: number, changes: AnyClaims = {}): string {
    const iat = Math.floor(now)
    const claims: Omit<AccessTokenClaims, 'jti'> = {
      iss: issuer, aud: audience, ...SUBJECT, iat, exp: iat + 600, client_id: 'countersign', ver: 1, email_verified: true
    }
    const text = JSON.stringify({ ...claims, ...changes })
    return 'jti' in changes ? text : withJti(text)
  }

  const write = (header: string, payload: string) => sign(encode(header), encode(payload))
  return { kid, header, payload, withJti, write, sign, good: (now, changes) => write(header(), payload(now, changes)) }
}

/** Whether an HTTP header field can carry the token as it is (RFC 9110 §5.5). */
export function fitsInHeader (token: string): boolean {
  return /^[\x21-\x7e\x80-\xff]+$/.test(token)
}

/** Everything that must be refused whatever the state of the service, and why. */
export function hostileTokens (issuer: TokenIssuer): HostileToken[] {
  const writer = createTokenWriter(issuer)
  return [
    ...misshapen(writer),
    ...misencoded(writer),
    ...withHostileHeader(writer, issuer),
    ...withHostileSignature(writer, issuer),
    ...withHostilePayload(writer, issuer.seal !== undefined),
    ...withHostileClaims(writer, issuer),
    ...withHostileTimes(writer),
    ...issuer.seal === undefined ? [] : withoutSeal(issuer, issuer.seal)
  ]
}

function misshapen ({ good, header, payload, sign }: TokenWriter): HostileToken[] {
  const broken = (name: string, breakUp: (header: string, payload: string, signature: string) => string): HostileToken => ({
    name,
    reason: 'malformed',
    write: now => breakUp(...parts(good(now)))
  })
  return [
    broken('nothing', () => ''),
    broken('a dot', () => '.'),
    broken('two dots', () => '..'),
    broken('three dots', () => '...'),
    broken('a word', () => 'undefined'),
    broken('a header alone', header => header),
    broken('two parts', (header, payload) => `${header}.${payload}`),
    broken('a fourth part', (...three) => [...three, 'e30'].join('.')),
    broken('a fourth part that is empty', (...three) => `${three.join('.')}.`),
    broken('a first part that is empty', (...three) => `.${three.join('.')}`),
    broken('no header', (_header, payload, signature) => `.${payload}.${signature}`),
    broken('a JWE', header => `${header}.QUJD.QUJD.QUJD.QUJD`),
    broken('a JWE with an empty key', header => `${header}..QUJD.QUJD.QUJD`),
    broken('the flattened JSON serialisation', (header, payload, signature) => JSON.stringify({ protected: header, payload, signature })),
    broken('the general JSON serialisation', (header, payload, signature) => JSON.stringify({ payload, signatures: [{ protected: header, signature }] })),
    broken('a JSON serialisation with two dots', (header, payload, signature) => JSON.stringify({ protected: header, payload, signature, header: { jku: 'a.b.c' } })),
    broken('a refresh token', () => `${SUBJECT.sid}.1.${'n'.repeat(22)}.${'m'.repeat(43)}`),
    broken('a one-time secret', () => 's'.repeat(43)),
    broken('two tokens', (...three) => `${three.join('.')},${three.join('.')}`),
    broken('a token with its scheme', (...three) => `Bearer ${three.join('.')}`),
    { name: 'an empty payload', reason: 'malformed', write: () => sign(encode(header()), '') },
    { name: 'an empty signature', reason: 'bad_signature', write: now => `${encode(header())}.${encode(payload(now))}.` },
    { name: 'one byte over the largest token', reason: 'too_large', write: now => sized({ good }, now, MAX_TOKEN_BYTES + 1) },
    { name: 'a megabyte', reason: 'too_large', write: now => good(now, { filler: 'x'.repeat(2 ** 20) }) },
    { name: 'a megabyte of dots', reason: 'too_large', write: () => '.'.repeat(2 ** 20) }
  ]
}

const FOREIGN: ReadonlyArray<[name: string, character: string]> = [
  ['a space', ' '], ['a tab', '\t'], ['a line feed', '\n'], ['a carriage return', '\r'], ['a NUL', '\0'], ['a plus', '+'], ['a slash', '/'],
  ['an equals sign', '='], ['a comma', ','], ['a tilde', '~'], ['a percent sign', '%'], ['an e acute', 'é'], ['a full-width A', 'Ａ'],
  ['a Cyrillic a', 'а'], ['a zero-width space', '\u200b'], ['a horse', '🐎'], ['half a horse', '\ud83d'], ['the other half', '\udc0e']
]

/** Parts that a lenient decoder reads all the same. Signed as they stand, so that nothing else is wrong with them. */
function misencoded ({ header, payload, sign }: TokenWriter): HostileToken[] {
  const inParts = (name: string, mangle: (part: string) => string): HostileToken[] => [
    { name: `${name}, in the header`, reason: 'malformed', write: now => sign(mangle(encode(aligned(header()))), encode(payload(now))) },
    { name: `${name}, in the payload`, reason: 'malformed', write: now => sign(encode(header()), mangle(encode(aligned(payload(now, AWKWARD))))) },
    {
      name: `${name}, in the signature`,
      reason: 'bad_signature',
      write (now) {
        const [head, body, signature] = parts(sign(encode(header()), encode(payload(now))))
        return `${head}.${body}.${mangle(signature)}`
      }
    }
  ]
  return [
    ...FOREIGN.flatMap(([name, character]) => [
      ...inParts(`${name} at the start`, part => character + part),
      ...inParts(`${name} in the middle`, part => `${part.slice(0, 20)}${character}${part.slice(20)}`),
      ...inParts(`${name} for a character`, part => `${part.slice(0, 20)}${character}${part.slice(21)}`),
      ...inParts(`${name} at the end`, part => part + character)
    ]),
    ...inParts('a character that is valid in its lower eight bits', part => raised(part, 20, 0x100)),
    ...inParts('all characters valid in their lower eight bits', part => [...part].map(character => raised(character, 0, 0x100)).join('')),
    ...inParts('a last character valid in its lower eight bits', part => raised(part, part.length - 1, 0x100)),
    ...inParts('half a surrogate pair that is valid in its lower eight bits', part => raised(part, 20, 0xd800)),
    ...inParts('spare bits set', part => part.slice(0, -1) + successor(part.charAt(part.length - 1))),
    ...inParts('one character too many', part => `${part}${'A'.repeat(5 - part.length % 4)}`),
    ...inParts('padding', part => part + '='.repeat(4 - part.length % 4)),
    ...inParts('padding and more after it', part => `${part}=${part}`),
    ...(['+', '/'] as const).flatMap(character => {
      const replaced = character === '+' ? '-' : '_'
      return inParts(`the other alphabet's ${character}`, part => part.includes(replaced) ? part.replace(replaced, character) : character + part.slice(1))
    })
  ]
}

// The encoding of this has both - and _ in it, wherever it falls.
const AWKWARD = { awkward: '?>?>?>?>?>?>~~~~~~' }

function withHostileHeader ({ kid, header, payload, write, sign }: TokenWriter, { secret, audience }: TokenIssuer): HostileToken[] {
  const texts = (reason: TokenFailure, entries: Record<string, string>): HostileToken[] =>
    Object.entries(entries).map(([name, text]) => ({ name: `header: ${name}`, reason, write: now => write(text, payload(now)) }))
  const headers = (reason: TokenFailure, entries: Record<string, AnyClaims>): HostileToken[] =>
    texts(reason, Object.fromEntries(Object.entries(entries).map(([name, changes]) => [name, header(changes)])))

  const { publicKey } = rsaKeyPair()
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString()
  const jwk = { kty: 'oct', alg: 'HS256', k: encode('a key of the attacker, and long enough') }

  return [
    ...texts('malformed', {
      'not JSON': 'alg=HS256',
      'cut off': header().slice(0, -1),
      'with something after it': `${header()}x`,
      'with a byte order mark': `\ufeff${header()}`,
      'single quotes': header().replaceAll('"', "'"),
      'a trailing comma': header().replace('}', ',}'),
      'an array': `[${header()}]`,
      'a string': JSON.stringify(header()),
      null: 'null',
      'a number': '1'
    }),
    ...headers('wrong_type', {
      'no typ': { typ: undefined },
      'typ JWT, as ID tokens have': { typ: 'JWT' },
      'typ rt+jwt': { typ: 'rt+jwt' },
      'typ AT+JWT': { typ: 'AT+JWT' },
      'typ application/at+jwt': { typ: 'application/at+jwt' },
      'typ with a space': { typ: 'at+jwt ' },
      'typ with a NUL': { typ: 'at+jwt\0' },
      'typ empty': { typ: '' },
      'typ null': { typ: null },
      'typ in an array': { typ: ['at+jwt'] },
      'typ a number': { typ: 1 }
    }),
    ...texts('wrong_type', {
      'empty object': '{}',
      'typ of the prototype alone': `{"alg":"HS256","kid":"${kid}","__proto__":{"typ":"at+jwt"}}`,
      'typ twice, the last one wrong': header().replace('}', ',"typ":"JWT"}')
    }),
    ...headers('critical_extension', {
      'crit with a known claim': { crit: ['exp'] },
      'crit with b64': { crit: ['b64'], b64: false },
      'crit with an unknown name': { crit: ['https://example.com/x'], 'https://example.com/x': 1 },
      'crit empty': { crit: [] },
      'crit null': { crit: null },
      'crit false': { crit: false }
    }),
    ...headers('unknown_key', {
      'no kid': { kid: undefined },
      'kid empty': { kid: '' },
      'kid null': { kid: null },
      'kid 0': { kid: 0 },
      'kid a number': { kid: 1 },
      'kid true': { kid: true },
      'kid in an array': { kid: [kid] },
      'kid in an object': { kid: { kid } },
      'kid of a path': { kid: '../../../../../../dev/null' },
      'kid of a path with a NUL': { kid: '/etc/passwd\0' },
      'kid of SQL': { kid: "x' UNION SELECT 'secret' -- " },
      'kid of a shell': { kid: '|/usr/bin/id' },
      'kid __proto__': { kid: '__proto__' },
      'kid constructor': { kid: 'constructor' },
      'kid with a space': { kid: `${kid} ` },
      'kid in lower case': { kid: `${kid.toLowerCase()}a` },
      'kid cut off': { kid: kid.slice(0, -1) },
      'kid of two kilobytes': { kid: kid.repeat(186) },
      'kid of an address': { kid: 'https://attacker.example/keys' },
      'kid of an audience': { kid: audience },
      'jwk for a kid': { kid: undefined, jwk }
    }),
    ...texts('unknown_key', { 'kid twice, the last one unknown': header().replace('}', ',"kid":"AAAAAAAAAAA"}') }),
    { name: 'header: kid of a megabyte', reason: 'too_large', write: now => write(header({ kid: 'k'.repeat(2 ** 20) }), payload(now)) },
    ...headers('wrong_algorithm', {
      'no alg': { alg: undefined },
      'alg null': { alg: null },
      'alg empty': { alg: '' },
      'alg in an array': { alg: ['HS256'] },
      'alg a number': { alg: 256 },
      'alg none': { alg: 'none' },
      'alg nOnE': { alg: 'nOnE' },
      'alg hs256': { alg: 'hs256' },
      'alg Hs256': { alg: 'Hs256' },
      'alg HS256 with a space': { alg: 'HS256 ' },
      'alg RS256 with the HMAC key': { alg: 'RS256' },
      'alg EdDSA with the HMAC key': { alg: 'EdDSA' },
      'alg dir with enc': { alg: 'dir', enc: 'A256GCM' }
    }),
    ...texts('wrong_algorithm', { 'alg twice, the last one none': header().replace('}', ',"alg":"none"}') }),
    ...['none', 'NONE', 'nOnE'].map((alg): HostileToken => (
      { name: `header: alg ${alg} and no signature`, reason: 'wrong_algorithm', write: now => `${encode(header({ alg }))}.${encode(payload(now))}.` }
    )),
    ...['sha384', 'sha512'].map((hash): HostileToken => {
      const alg = hash.replace('sha', 'HS')
      return { name: `header: ${alg}, and signed so`, reason: 'wrong_algorithm', write: now => sign(encode(header({ alg })), encode(payload(now)), secret, hash) }
    }),
    ...[pem, pem.trim(), encode(pem)].flatMap((key, index): HostileToken[] => [
      { name: `header: RS256 made HS256 with the public key for a secret (${index})`, reason: 'bad_signature', write: now => sign(encode(header()), encode(payload(now)), key) },
      { name: `header: the same, under a thumbprint (${index})`, reason: 'unknown_key', write: now => sign(encode(header({ kid: 't'.repeat(43) })), encode(payload(now)), key) }
    ]),
    ...Object.entries({ jwk, jku: 'https://attacker.example/jwks', x5u: 'https://attacker.example/cert', x5c: ['MIIB'], key: jwk.k }).map(([name, value]): HostileToken => (
      { name: `header: ${name} of the attacker's key`, reason: 'bad_signature', write: now => sign(encode(header({ [name]: value })), encode(payload(now)), decode(jwk.k)) }
    ))
  ]
}

function withHostileSignature ({ kid, good, header, payload, sign }: TokenWriter, { secret, issuer }: TokenIssuer): HostileToken[] {
  const signed = (name: string, key: string | Buffer, hash?: string): HostileToken => (
    { name: `signature: ${name}`, reason: 'bad_signature', write: now => sign(encode(header()), encode(payload(now)), key, hash) }
  )
  const changed = (name: string, change: (signature: string) => string): HostileToken => ({
    name: `signature: ${name}`,
    reason: 'bad_signature',
    write (now) {
      const [head, body, signature] = parts(good(now))
      return `${head}.${body}.${change(signature)}`
    }
  })
  return [
    signed('under another secret', `${secret}x`),
    signed('under the empty secret', ''),
    signed('under the kid', kid),
    signed('under the issuer', issuer),
    signed('under the secret in lower case', secret.toLowerCase()),
    signed('under the secret, decoded', Buffer.from(secret, 'base64url')),
    signed('by HS512 under an HS256 header', secret, 'sha512'),
    changed('by HS512, cut to 32 bytes', () => createHmac('sha512', secret).update('x').digest().toString('base64url', 0, 32)),
    changed('cut off', signature => signature.slice(0, -1)),
    changed('one character too long', signature => `${signature}A`),
    changed('twice', signature => signature + signature),
    changed('zeros', signature => 'A'.repeat(signature.length)),
    changed('its first half alone', signature => signature.slice(0, 22)),
    changed('in hexadecimal', signature => Buffer.from(signature, 'base64url').toString('hex')),
    changed('reversed', signature => [...signature].reverse().join('')),
    {
      name: 'signature: of the same token for somebody else',
      reason: 'bad_signature',
      write (now) {
        const [head, , signature] = parts(good(now))
        return `${head}.${encode(payload(now, { role: 'admin' }))}.${signature}`
      }
    }
  ]
}

/** Payloads that are no claims at all. Some cannot bear a seal: where one is asked for, that is what they lack. */
function withHostilePayload ({ header, payload, withJti, write, sign }: TokenWriter, seals: boolean): HostileToken[] {
  const texts = (reason: TokenFailure, entries: Record<string, string | ((now: number) => string)>): HostileToken[] =>
    Object.entries(entries).map(([name, text]) => (
      { name: `payload: ${name}`, reason: seals ? 'forged' : reason, write: now => write(header(), typeof text === 'string' ? text : text(now)) }
    ))
  const sealable = (name: string, change: (payload: string) => string): HostileToken => (
    { name: `payload: ${name}`, reason: 'malformed', write: now => write(header(), withJti(change(withoutJti(payload(now))))) }
  )
  return [
    ...texts('malformed', {
      'not JSON': 'sub=ada',
      'white space': '   ',
      'cut off': now => payload(now).slice(0, -1),
      'with something after it': now => `${payload(now)}x`,
      'two objects': now => payload(now).repeat(2),
      'a NUL at its end': now => `${payload(now)}\0`,
      'a path': '../../etc/passwd',
      'a thousand brackets': '['.repeat(1000)
    }),
    ...texts('invalid_claims', {
      null: 'null',
      true: 'true',
      'a number': '1',
      'a string': now => JSON.stringify(payload(now)),
      'an array': now => `[${payload(now)}]`,
      'an array of nothing': '[]',
      'an empty object': '{}',
      'a thousand arrays': `${'['.repeat(1000)}${']'.repeat(1000)}`
    }),
    sealable('with a byte order mark', text => `\ufeff${text}`),
    sealable('a trailing comma', text => text.replace(/}$/, ',}')),
    sealable('a comment', text => text.replace('{', '{/* */')),
    sealable('single quotes', text => text.replaceAll('"', "'")),
    sealable('a raw line feed in a string', text => text.replace(SUBJECT.email, '\n')),
    { name: 'payload: not encoded', reason: 'malformed', write: now => sign(encode(header()), payload(now).replaceAll('.', '')) }
  ]
}

const NOT_TEXT: Record<string, unknown> = { missing: undefined, null: null, empty: '', 'a number': 1, true: true, 'an object': {}, 'an empty array': [] }
const NOT_WHOLE: Record<string, unknown> = { missing: undefined, null: null, 'a text': '1700000000', empty: '', true: true, 'an array': [1700000000], 'a fraction': 1700000000.5, 'over 2^53': 2 ** 53 }

function withHostileClaims ({ header, payload, withJti, write, good }: TokenWriter, { issuer, audience, seal }: TokenIssuer): HostileToken[] {
  const claims = (reason: TokenFailure, entries: Record<string, AnyClaims>): HostileToken[] =>
    Object.entries(entries).map(([name, changes]) => ({ name: `claims: ${name}`, reason, write: now => good(now, changes) }))
  const each = (names: string[], values: Record<string, unknown>) =>
    Object.fromEntries(names.flatMap(name => Object.entries(values).map(([kind, value]) => [`${name} ${kind}`, { [name]: value }])))
  const text = (name: string, change: (payload: string) => string): HostileToken => (
    { name: `claims: ${name}`, reason: 'invalid_claims', write: now => write(header(), withJti(change(withoutJti(payload(now))))) }
  )
  const { missing: _, ...present } = NOT_TEXT
  const { missing: __, ...presentTimes } = NOT_WHOLE

  return [
    ...claims('invalid_claims', {
      ...each(['iss', 'aud', 'sub', 'sid', 'role'], NOT_TEXT),
      ...each(['iat', 'exp'], NOT_WHOLE),
      ...each(['nbf', 'ver'], presentTimes),
      ...each(['email', 'client_id'], present),
      'email_verified a text': { email_verified: 'true' },
      'email_verified a number': { email_verified: 1 },
      'email_verified null': { email_verified: null },
      'iss in an array': { iss: [issuer] },
      'iss in an array of several': { iss: [issuer, 'https://attacker.example'] },
      'aud in an array': { aud: [audience] },
      'aud in an array of several': { aud: [audience, 'other'] },
      'role of nobody': { role: 'root' },
      'role in other letters': { role: 'Admin' },
      'role with a space': { role: 'admin ' },
      'role in an array': { role: ['admin'] },
      'two roles in one': { role: 'user,admin' },
      'role __proto__': { role: '__proto__' },
      'a client token': { sub: 'client_0198c5a4', sid: undefined, role: undefined, email: undefined, scope: 'introspect' },
      'a client token with a session': { sub: 'client_0198c5a4', role: undefined, email: undefined, scope: 'introspect' }
    }),
    ...Object.entries(NOT_TEXT).map(([kind, jti]): HostileToken => (
      { name: `claims: jti ${kind}`, reason: seal === undefined ? 'invalid_claims' : 'forged', write: now => good(now, { jti }) }
    )),
    text('role of the prototype alone', payload => payload.replace('"role":"user"', '"__proto__":{"role":"admin"}')),
    text('sid twice, the last one empty', payload => payload.replace('}', ',"sid":""}')),
    text('role twice, the last one unknown', payload => payload.replace('}', ',"role":"root"}')),
    text('an infinite exp', payload => payload.replace(/"exp":\d+/, '"exp":1e400')),
    text('an exp that is just not whole', payload => payload.replace(/"exp":(\d+)/, '"exp":$1.000001')),
    ...claims('wrong_issuer', {
      'iss of somebody else': { iss: 'https://attacker.example' },
      'iss with a slash': { iss: `${issuer}/` },
      'iss in capitals': { iss: issuer.toUpperCase() },
      'iss cut off': { iss: issuer.slice(0, -1) },
      'iss with a space': { iss: ` ${issuer}` },
      'iss with a NUL': { iss: `${issuer}\0` },
      'iss a pattern': { iss: '.*' },
      'iss of a subdomain': { iss: issuer.replace('://', '://evil.') }
    }),
    ...claims('wrong_audience', {
      'aud of somebody else': { aud: 'other' },
      'aud in capitals': { aud: audience.toUpperCase() },
      'aud with a space': { aud: `${audience} ` },
      'aud a pattern': { aud: '.*' },
      'aud a prefix': { aud: audience.slice(0, -1) },
      'aud two in one': { aud: `${audience} other` },
      'aud the client': { aud: 'countersign' }
    })
  ]
}

function withHostileTimes ({ good }: TokenWriter): HostileToken[] {
  const times = (reason: TokenFailure, entries: Record<string, (now: number) => AnyClaims>): HostileToken[] =>
    Object.entries(entries).map(([name, claims]) => ({ name: `times: ${name}`, reason, write: now => good(now, claims(Math.floor(now))) }))
  return [
    ...times('expired', {
      'expired six seconds ago': now => ({ iat: now - 600, exp: now - 6 }),
      'expired a year ago': now => ({ iat: now - 31536600, exp: now - 31536000 }),
      'exp before iat': now => ({ iat: now, exp: now - 600 }),
      'exp 0': () => ({ exp: 0 }),
      'exp below 0': () => ({ iat: -2, exp: -1 })
    }),
    // A second more than it takes: the clock may tick between writing and sending.
    ...times('not_yet_valid', {
      'iat in 62 seconds': now => ({ iat: now + 62, exp: now + 600 }),
      'iat in a year': now => ({ iat: now + 31536000, exp: now + 31536600 }),
      'nbf in seven seconds': now => ({ nbf: now + 7 }),
      'nbf in a year': now => ({ nbf: now + 31536000 })
    }),
    ...times('too_long_lived', {
      'a second over the longest life': now => ({ iat: now, exp: now + MAX_ACCESS_TOKEN_LIFE + 1 }),
      'a second over, and half of it gone': now => ({ iat: now - 1800, exp: now - 1800 + MAX_ACCESS_TOKEN_LIFE + 1 }),
      'for ever': () => ({ exp: Number.MAX_SAFE_INTEGER }),
      'since ever': now => ({ iat: 0, exp: now + 60 })
    })
  ]
}

/** Signed with the shared secret, and not by the service. */
function withoutSeal (issuer: TokenIssuer, seal: (payload: string) => string): HostileToken[] {
  const { header, payload, write, good } = createTokenWriter(issuer)
  const { seal: _, ...outsider } = issuer
  const forged = (name: string, write: (now: number) => string): HostileToken => ({ name: `seal: ${name}`, reason: 'forged', write })
  const resealed = (name: string, change: (jti: string) => string) => forged(name, now => {
    const body = withoutJti(payload(now))
    return write(header(), `${body.slice(0, -1)},"jti":"${change(seal(body))}"}`)
  })
  return [
    forged('none', now => createTokenWriter(outsider).good(now)),
    forged('none, for an admin', now => createTokenWriter(outsider).good(now, { role: 'admin' })),
    forged('of the same token for a user', now => write(header(), payload(now).replace('"role":"user"', '"role":"admin"'))),
    forged('of another payload', now => good(now, { jti: seal(withoutJti(payload(now - 1))) })),
    forged('in front of the other claims', now => {
      const body = withoutJti(payload(now))
      return write(header(), `{"jti":"${seal(body)}",${body.slice(1)}`)
    }),
    forged('before white space', now => write(header(), `${payload(now).slice(0, -1)} }`)),
    forged('with a claim after it', now => write(header(), payload(now).replace(/}$/, ',"role":"admin"}'))),
    resealed('with its spare bits set', jti => jti.slice(0, -1) + successor(jti.charAt(jti.length - 1))),
    resealed('with a character that is valid in its lower eight bits', jti => raised(jti, 20, 0x100)),
    resealed('cut off', jti => jti.slice(0, -1)),
    resealed('padded', jti => `${jti}=`),
    resealed('its random half alone', jti => jti.slice(0, 22)),
    resealed('its halves swapped', jti => {
      const bytes = Buffer.from(jti, 'base64url')
      return Buffer.concat([bytes.subarray(16), bytes.subarray(0, 16)]).toString('base64url')
    })
  ]
}

/** What stands at an edge, on the good side of it. */
export function oddTokens (issuer: TokenIssuer): OddToken[] {
  const writer = createTokenWriter(issuer)
  const { kid, header, payload, withJti, write, good } = writer
  const headers = (entries: Record<string, string>): OddToken[] =>
    Object.entries(entries).map(([name, text]) => ({ name: `header: ${name}`, write: now => write(text, payload(now)) }))
  const claims = (entries: Record<string, (now: number) => AnyClaims>): OddToken[] =>
    Object.entries(entries).map(([name, changes]) => ({ name: `claims: ${name}`, write: now => good(now, changes(Math.floor(now))) }))
  const text = (name: string, change: (payload: string) => string): OddToken => (
    { name: `payload: ${name}`, write: now => write(header(), withJti(change(withoutJti(payload(now))))) }
  )
  return [
    ...headers({
      'as the service writes it': header(),
      'in another order': JSON.stringify({ kid, typ: 'at+jwt', alg: 'HS256' }),
      'with white space': JSON.stringify(JSON.parse(header()), null, 4),
      'with escapes': header().replace('HS256', '\\u0048S256'),
      'with every way to bring a key along': header({ jku: 'https://attacker.example', jwk: { kty: 'oct', k: 'AAAA' }, x5u: 'https://attacker.example', x5c: ['MIIB'], x5t: 'AAAA' }),
      'with members that mean nothing here': header({ cty: 'JWT', zip: 'DEF', b64: false, enc: 'A256GCM', nested: [[{ deep: null }]] }),
      'with members twice, the last one right': `{"alg":"none","typ":"JWT","kid":"",${header().slice(1)}`,
      'with a prototype': `{"__proto__":{"crit":["x"],"alg":"none"},${header().slice(1)}`
    }),
    ...claims({
      'just expired': now => ({ iat: now - 600, exp: now - 3 }),
      'iat in a minute': now => ({ iat: now + 59, exp: now + 600 }),
      'nbf in four seconds': now => ({ nbf: now + 4 }),
      'nbf long ago': () => ({ nbf: 0 }),
      'the longest life': now => ({ iat: now, exp: now + MAX_ACCESS_TOKEN_LIFE }),
      'without those that may be missing': () => ({ client_id: undefined, ver: undefined, email: undefined, email_verified: undefined }),
      'with more of them': () => ({ scope: 'everything', roles: ['admin'], admin: true, isAdmin: 1, nested: { deep: [{}] } })
    }),
    text('with white space', payload => `\n ${payload.replaceAll(',', ' ,\t')}`),
    text('with escapes', payload => payload.replace('"role":"user"', '"r\\u006fle":"us\\u0065r"')),
    text('with members twice, the last one right', payload => `{"iss":"https://attacker.example","aud":["x"],"role":"admin","jti":"","exp":1e400,${payload.slice(1)}`),
    text('with a prototype', payload => `{"__proto__":{"role":"admin","nbf":9999999999},"constructor":{"prototype":{}},${payload.slice(1)}`),
    { name: 'the largest token', write: now => sized(writer, now, MAX_TOKEN_BYTES) }
  ]
}

/** A good token of just so many bytes. */
function sized ({ good }: Pick<TokenWriter, 'good'>, now: number, bytes: number): string {
  const filled = (length: number) => good(now, { filler: 'x'.repeat(length) })
  let length = Math.floor((bytes - filled(0).length) * 3 / 4)
  while (filled(length).length < bytes) length++
  return filled(length)
}

const encode = (text: string) => Buffer.from(text).toString('base64url')
const decode = (part: string) => Buffer.from(part, 'base64url').toString()

function parts (token: string): [header: string, payload: string, signature: string] {
  const [header = '', payload = '', signature = ''] = token.split('.')
  return [header, payload, signature]
}

function withoutJti (payload: string): string {
  return payload.replace(/,"jti":"[^"]*"}$/, '}')
}

/** JSON text whose encoding has spare bits in its last character. */
function aligned (text: string): string {
  return Buffer.byteLength(text) % 3 === 0 ? ` ${text}` : text
}

/** Moves one character of a part by so many code units. */
function raised (part: string, at: number, by: number): string {
  return part.slice(0, at) + String.fromCharCode(part.charCodeAt(at) + by) + part.slice(at + 1)
}

/** The next character of the alphabet: where the last one has spare bits, it decodes to the same. */
function successor (character: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return alphabet.charAt(alphabet.indexOf(character) + 1)
}
