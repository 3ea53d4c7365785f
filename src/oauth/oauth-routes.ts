import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { IsUnavailable } from '../http/problem-response.ts'
import { acceptOnlyUrlencoded } from './urlencoded-parser.ts'
import { introspectRoute, type IntrospectRouteOptions } from './introspect-route.ts'
import { handleOAuthErrors } from './oauth-error-response.ts'
import { revokeRoute, type RevokeRouteOptions } from './revoke-route.ts'
import { tokenRoute, type TokenRouteOptions } from './token-route.ts'

export interface OAuthRoutesOptions extends TokenRouteOptions, IntrospectRouteOptions, RevokeRouteOptions {
  isUnavailable: IsUnavailable
}

/** The OAuth endpoints: they accept forms and send errors as RFC 6749 defines. */
export const oauthRoutes: FastifyPluginAsyncTypebox<OAuthRoutesOptions> = async (app, { isUnavailable, ...options }) => {
  acceptOnlyUrlencoded(app)
  handleOAuthErrors(app, { isUnavailable })
  await app.register(tokenRoute, options)
  await app.register(introspectRoute, options)
  await app.register(revokeRoute, options)
}
