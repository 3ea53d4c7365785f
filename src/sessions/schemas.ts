import { Type } from 'typebox'
import { invalidField } from '../errors.ts'
import { jsonResponse } from '../http/openapi/openapi-responses.ts'
import { EXAMPLE_IDENTITY, EXAMPLE_USER, named, Nullable, WITHOUT_NUL } from '../http/schemas.ts'

export const EXAMPLE_REFRESH_TOKEN = '01890a5d-ac96-774b-bcce-b302099a8057.0.…'

export const Deliver = Type.Enum(['body', 'cookie', 'session'], {
  type: 'string',
  default: 'body',
  description: 'How the credentials are delivered. `body`: tokens in the response body, for mobile apps and services. `cookie`: the same tokens in httpOnly cookies, for browsers. `session`: one opaque id in an httpOnly cookie, for browsers with a stateful session.'
})

export const AudienceName = Type.String({
  minLength: 1,
  maxLength: 255,
  pattern: WITHOUT_NUL,
  description: 'The audience of the access token: a registered service, which alone accepts the token. By default, the token is for this service and for those that share its audience.',
  examples: ['cart']
})

/** @throws Problem 422: a stateful session has no token to have an audience */
export function refuseAudienceOf (deliver: string, audience: string | undefined): void {
  if (deliver !== 'session' || audience === undefined) return
  throw invalidField('audience', 'cannot be combined with deliver "session", which has no token')
}

export const LoginSchema = Type.Object({
  user: named('User'),
  accessToken: Type.Optional(Type.String({ description: 'Absent where cookies carry the session.' })),
  refreshToken: Type.Optional(Type.String({ description: 'Absent where cookies carry the session.' })),
  tokenType: Type.Literal('Bearer'),
  expiresIn: Type.Integer({ description: 'The lifetime of the access token in seconds, or the longest of the stateful session.', examples: [600] })
}, { description: 'A session and its credentials' })

export const LoginWithIdentitiesSchema = Type.Object({
  ...LoginSchema.properties,
  identities: Type.Array(named('Identity'), { description: 'The provider identities that can sign in to the account, for its owner to review.' })
}, { description: 'A session, its credentials, and the identities of its account' })

const EXAMPLE_LOGIN = { user: EXAMPLE_USER, tokenType: 'Bearer', expiresIn: 600 }

/** The response of a route that logs in. */
export function loginResponse (description: string, schema: 'Login' | 'LoginWithIdentities' = 'Login') {
  const example = { ...EXAMPLE_LOGIN, ...schema === 'LoginWithIdentities' && { identities: [EXAMPLE_IDENTITY] } }
  return jsonResponse(named(schema), {
    description,
    headers: {
      'Set-Cookie': Type.String({
        description: 'Only where cookies carry the session: its credentials, and one that recognizes this browser at later logins, each in a header of its own.',
        examples: ['__Host-access=eyJhbGciOiJIUzI1NiIs…; Max-Age=600; Path=/; HttpOnly; Secure; SameSite=Lax']
      })
    },
    examples: {
      body: { summary: 'Tokens in the body', value: { ...example, accessToken: 'eyJhbGciOiJIUzI1NiIs…', refreshToken: EXAMPLE_REFRESH_TOKEN } },
      cookie: { summary: 'Tokens in cookies', value: example },
      session: { summary: 'A stateful session', value: { ...example, expiresIn: 2_592_000 } }
    }
  })
}

/** The header that clears cookies. */
export const CLEARED_COOKIES = {
  'Set-Cookie': Type.String({ description: 'Clears the cookies that the request contained.', examples: ['__Host-access=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax'] })
}

/** The headers of a request that may be repeated. */
export const IdempotencyHeaders = Type.Object({
  'idempotency-key': Type.Optional(Type.String({ minLength: 22, maxLength: 255, description: '128 or more random bits, which the client stores before it sends them.', examples: ['f5dEaPz1TrG0pAXZlVLrKQ'] }))
})

/** The field that proves presence where the tokens came in the body. */
export const PresenceToken = Type.Optional(Type.String({
  maxLength: 4096,
  description: 'The present refresh token of the session, where its tokens came in the body. It is not used up. Cookies need no field.',
  examples: [EXAMPLE_REFRESH_TOKEN]
}))

/** The body of a request that needs presence and has no other field. */
export const PresenceBody = Nullable(Type.Object({ refreshToken: PresenceToken }, {
  additionalProperties: false,
  examples: [{ refreshToken: EXAMPLE_REFRESH_TOKEN }]
}))

/** For the description of a route that needs presence. */
export const NEEDS_PRESENCE = 'Needs presence: in addition to the access token, the session\'s own credential, whose owner logged in within the last five minutes.'
