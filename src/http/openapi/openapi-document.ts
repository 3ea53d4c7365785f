import swagger from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'
import type { Cookies } from '../cookies.ts'
import { addApiPage } from './api-page.ts'
import { markOptionalBodies } from './openapi-optional-bodies.ts'
import { schemaName } from '../schemas.ts'

/** What the document needs to know of this deployment. */
export interface OpenApiOptions {
  version: string
  publicUrl: string
  cookieNames: Cookies['names']
}

const TAGS = [
  { name: 'Accounts', description: 'Registration and the user\'s own profile' },
  { name: 'Sessions', description: 'Login, logout, refresh and verification' },
  { name: 'Providers', description: 'Sign-in with Google, GitHub, Facebook or any OpenID provider' },
  { name: 'Admin', description: 'Administration, for the role `admin`' },
  { name: 'Services', description: 'OAuth endpoints for other services' },
  { name: 'Operations', description: 'Health and metrics' }
]

/** Serves `/openapi.json`, made from the schemas that validate requests, and an API page. */
export async function addOpenApi (app: FastifyInstance, { version, publicUrl, cookieNames }: OpenApiOptions): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Countersign',
        version,
        description: 'Authentication: accounts, sessions and access tokens.\n\nWhat takes an access token as `bearerAuth` takes the cookies that a login sets as well: `cookieAuth` and `sessionAuth`. Browsers send them by themselves, so no operation lists them.',
        license: { name: 'MIT', identifier: 'MIT' }
      },
      servers: [{ url: serverUrl(publicUrl) }],
      tags: TAGS,
      components: {
        securitySchemes: {
          bearerAuth: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'An access token. The cookies of `cookieAuth` and `sessionAuth` are accepted instead.' },
          cookieAuth: {
            type: 'apiKey',
            in: 'cookie',
            name: cookieNames.access,
            description: 'An access token in a cookie, which browsers send by themselves: a client has nothing to set. Accepted wherever `bearerAuth` is. Protected from CSRF: a request of an unsafe method must come from an allowed origin, or have `X-Countersign: 1`.'
          },
          sessionAuth: { type: 'apiKey', in: 'cookie', name: cookieNames.session, description: 'A stateful session in a cookie, which browsers send by themselves. Accepted wherever `bearerAuth` is, with the same protection from CSRF.' },
          clientAuth: { type: 'http', scheme: 'basic', description: 'The client id and client secret of a service.' },
          clientToken: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'An access token from the client credentials grant.' }
        }
      }
    },
    transformObject: markOptionalBodies,
    refResolver: { buildLocalReference: ({ $id }, _baseUri, _fragment, index) => typeof $id === 'string' ? schemaName($id) : `def-${index}` }
  })
  addApiPage(app)
  app.get('/openapi.json', { schema: { hide: true } }, (_request, reply) => reply.send(app.swagger()))
}

// On a developer's machine: the host that the document was loaded from, by whichever name.
function serverUrl (publicUrl: string): string {
  const { hostname } = new URL(publicUrl)
  return ['localhost', '127.0.0.1', '[::1]'].includes(hostname) ? '/' : publicUrl
}
