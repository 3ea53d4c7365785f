import { Type } from 'typebox'

/** The parameters by which a client may authenticate in a form (RFC 6749 §2.3.1). */
export const CLIENT_PARAMETERS = {
  client_id: Type.Optional(Type.String({ description: 'Required unless the Authorization header carries it' })),
  client_secret: Type.Optional(Type.String({ description: 'Required unless the Authorization header carries it' }))
}

/** The parameters that contain a token (RFC 7009 §2.1, RFC 7662 §2.1). */
export const TOKEN_PARAMETERS = {
  token: Type.String(),
  token_type_hint: Type.Optional(Type.String({ description: '`access_token` or `refresh_token`. Not needed.' }))
}

/** The security of routes where clients authenticate by their secret. */
export const BY_SECRET = [{ clientAuth: [] }]

/** The security of routes where clients authenticate by their secret or by an access token of their own. */
export const BY_SECRET_OR_TOKEN = [{ clientAuth: [] }, { clientToken: [] }]
