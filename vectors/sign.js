// node vectors/sign.js '{"claim":…}' ['{"header member":…}']      prints a token for a case: the usual claims with changes; null leaves one out
import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'

const { issuer, audience, now, secrets } = JSON.parse(readFileSync(new URL('countersign-vectors.json', import.meta.url), 'utf8'))
const [secret] = secrets
const [claims = '{}', header = '{}'] = process.argv.slice(2)

const kid = createHmac('sha256', secret).update(`countersign:kid:v1|${issuer}`).digest().toString('base64url', 0, 8)
const encode = object => Buffer.from(JSON.stringify(object, (_name, value) => value === null ? undefined : value)).toString('base64url')
const text = [
  encode({ alg: 'HS256', typ: 'at+jwt', kid, ...JSON.parse(header) }),
  encode({
    iss: issuer,
    aud: audience,
    sub: '01890a5d-ac96-774b-bcce-b302099a8057',
    sid: '01890a5d-ac97-7d3c-9a41-5f6f2b1f0001',
    iat: now - 60,
    exp: now + 540,
    client_id: 'countersign',
    role: 'user',
    ver: 3,
    email: 'ada@example.com',
    email_verified: true,
    jti: 'p0s88zia',
    ...JSON.parse(claims)
  })
].join('.')
console.log(`${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`)
