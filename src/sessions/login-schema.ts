import { Type } from 'typebox'
import { invalidField } from '../errors.ts'
import { jsonResponse } from '../http/openapi/openapi-responses.ts'
import { EXAMPLE_IDENTITY, EXAMPLE_USER, named, WITHOUT_NUL } from '../http/schemas.ts'

export const Deliver = Type.Enum(['body', 'cookie', 'session'], {
  type: 'string',
  default: 'body',
  description: '`body`: tokens in the answer, for mobile apps and services. `cookie`: the same tokens in httpOnly cookies, for browsers. `session`: one opaque id in an httpOnly cookie, for browsers with a stateful session.'
})

export const AudienceName = Type.String({
  minLength: 1,
  maxLength: 255,
  pattern: WITHOUT_NUL,
  description: 'Whom the access token is for: the audience of a registered service, which alone accepts it. Unset, the token is for this service and for those that share its audience.',
  examples: ['cart']
})

/** @throws Problem 422: a stateful session has no token that could be for anybody */
export function refuseAudienceOf (deliver: string, audience: string | undefined): void {
  if (deliver !== 'session' || audience === undefined) return
  throw invalidField('audience', 'means nothing with deliver "session", which has no token')
}

export const LoginSchema = Type.Object({
  user: named('User'),
  accessToken: Type.Optional(Type.String({ description: 'Absent where cookies carry it' })),
  refreshToken: Type.Optional(Type.String({ description: 'Absent where cookies carry it' })),
  tokenType: Type.Literal('Bearer'),
  expiresIn: Type.Integer({ description: 'Seconds that the access token lives, or the stateful session at most', examples: [600] })
}, { description: 'An open session' })

export const LoginWithIdentitiesSchema = Type.Object({
  ...LoginSchema.properties,
  identities: Type.Array(named('Identity'), { description: 'What else opens the account, for its owner to look at' })
}, { description: 'An open session, and the identities of its account' })

const EXAMPLE_LOGIN = { user: EXAMPLE_USER, tokenType: 'Bearer', expiresIn: 600 }

/** The answer of a route that logs in. */
export function loginAnswer (description: string, schema: 'Login' | 'LoginWithIdentities' = 'Login') {
  const example = { ...EXAMPLE_LOGIN, ...schema === 'LoginWithIdentities' && { identities: [EXAMPLE_IDENTITY] } }
  return jsonResponse(named(schema), {
    description,
    headers: {
      'Set-Cookie': Type.String({
        description: 'Only where cookies carry the session: its credentials, and a sign that this browser has logged in before, each a cookie of its own',
        examples: ['__Host-access=eyJhbGciOiJIUzI1NiIs…; Max-Age=600; Path=/; HttpOnly; Secure; SameSite=Lax']
      })
    },
    examples: {
      body: { summary: 'Tokens in the body', value: { ...example, accessToken: 'eyJhbGciOiJIUzI1NiIs…', refreshToken: '01890a5d-ac96-774b-bcce-b302099a8057.0.…' } },
      cookie: { summary: 'Tokens in cookies', value: example },
      session: { summary: 'A stateful session', value: { ...example, expiresIn: 2_592_000 } }
    }
  })
}

/** The header that takes back cookies. */
export const CLEARED_COOKIES = {
  'Set-Cookie': Type.String({ description: 'Takes back the cookies that the request carried', examples: ['__Host-access=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax'] })
}
