import { Type } from 'typebox'
import { Nullable } from '../http/schemas.ts'

/** The field by which a client that keeps its tokens itself shows presence; a browser's cookies come by themselves. */
export const PresenceToken = Type.Optional(Type.String({
  maxLength: 4096,
  description: 'The session\'s present refresh token, where its tokens came in the body. It is not used up. Cookies come by themselves.',
  examples: ['01890a5d-ac96-774b-bcce-b302099a8057.0.…']
}))

/** The body of a request that needs presence, and nothing else. */
export const PresenceBody = Nullable(Type.Object({ refreshToken: PresenceToken }, {
  additionalProperties: false,
  examples: [{ refreshToken: '01890a5d-ac96-774b-bcce-b302099a8057.0.…' }]
}))

/** What a route says that needs presence. */
export const NEEDS_PRESENCE = 'Needs presence: beside the access token the session\'s own credential, whose owner logged in within the last five minutes.'
