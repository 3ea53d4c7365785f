import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { PublicJwk } from 'countersign-verifier/internal'
import { jsonResponse, problemResponses, PUBLIC } from '../http/openapi/openapi-responses.ts'
import { SCOPES } from './scopes.ts'

export interface MetadataRoutesOptions {
  issuer: string
  /** `PUBLIC_URL` and the prefix of the routes. */
  baseUrl: string
  publicKeys: readonly PublicJwk[]
}

// Seconds. A new key has to be published this long before it signs, for verifiers that do not refetch for an unknown one.
const JWKS_LIFE = 300
const METADATA_LIFE = 3600

const AUTH_METHODS = ['client_secret_basic', 'client_secret_post']
const MethodNames = Type.Array(Type.String())
const Url = Type.String({ format: 'uri' })

/** The authorization server metadata (RFC 8414) and the JSON Web Key Set (RFC 7517). */
export const metadataRoutes: FastifyPluginAsyncTypebox<MetadataRoutesOptions> = async (app, { issuer, baseUrl, publicKeys }) => {
  const metadata = metadataOf(issuer, baseUrl)
  const keys = { keys: publicKeys }

  app.get('/.well-known/oauth-authorization-server', {
    schema: {
      operationId: 'getAuthorizationServerMetadata',
      tags: ['Services'],
      summary: 'Get the authorization server metadata',
      description: 'The addresses and capabilities of the OAuth endpoints (RFC 8414).',
      security: PUBLIC,
      response: {
        200: jsonResponse(Type.Object({
          issuer: Type.String(),
          token_endpoint: Url,
          introspection_endpoint: Url,
          revocation_endpoint: Url,
          jwks_uri: Url,
          response_types_supported: MethodNames,
          grant_types_supported: MethodNames,
          scopes_supported: MethodNames,
          token_endpoint_auth_methods_supported: MethodNames,
          introspection_endpoint_auth_methods_supported: MethodNames,
          revocation_endpoint_auth_methods_supported: MethodNames
        }), { description: 'The metadata', example: metadataOf('https://auth.example.com', 'https://auth.example.com') }),
        ...problemResponses('headers_too_large')
      }
    }
  }, async (_request, reply) => {
    reply.header('cache-control', `public, max-age=${METADATA_LIFE}`)
    return metadata
  })

  app.get('/.well-known/jwks.json', {
    schema: {
      operationId: 'getJwks',
      tags: ['Services'],
      summary: 'Get the public keys of access tokens',
      description: 'The JSON Web Key Set (RFC 7517). It is empty where tokens are signed with a shared secret, which is never published.',
      security: PUBLIC,
      response: {
        200: jsonResponse(Type.Object({ keys: Type.Array(Type.Object({ kty: Type.String(), kid: Type.String(), alg: Type.String(), use: Type.String() }, { additionalProperties: true })) }), {
          description: 'The key set',
          example: { keys: [{ kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo', kid: 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k', alg: 'EdDSA', use: 'sig' }] }
        }),
        ...problemResponses('headers_too_large')
      }
    }
  }, async (_request, reply) => {
    reply.header('cache-control', `public, max-age=${JWKS_LIFE}`)
    return keys
  })
}

function metadataOf (issuer: string, baseUrl: string) {
  return {
    issuer,
    token_endpoint: `${baseUrl}/oauth/token`,
    introspection_endpoint: `${baseUrl}/oauth/introspect`,
    revocation_endpoint: `${baseUrl}/oauth/revoke`,
    jwks_uri: `${baseUrl}/.well-known/jwks.json`,
    // There is no authorization endpoint: users log in to the service directly.
    response_types_supported: [],
    grant_types_supported: ['client_credentials'],
    scopes_supported: [...SCOPES],
    token_endpoint_auth_methods_supported: AUTH_METHODS,
    introspection_endpoint_auth_methods_supported: AUTH_METHODS,
    revocation_endpoint_auth_methods_supported: AUTH_METHODS
  }
}
