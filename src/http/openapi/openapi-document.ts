import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import type { Cookies } from '../cookies.ts'
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

// Every asset of the page comes from the service; its icons are data: URLs.
const PAGE_POLICY = {
  'default-src': "'none'",
  'script-src': "'self'",
  'style-src': "'self'",
  'img-src': "'self' data:",
  'connect-src': "'self'",
  'base-uri': "'none'",
  'form-action': "'none'",
  'frame-ancestors': "'none'"
}

/** Serves `/openapi.json`, made from the schemas that validate requests, and an API page at `/docs` that loads nothing from elsewhere. */
export async function addOpenApi (app: FastifyInstance, { version, publicUrl, cookieNames }: OpenApiOptions): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Countersign',
        version,
        description: 'Authentication: accounts, sessions and access tokens.',
        license: { name: 'MIT', identifier: 'MIT' }
      },
      servers: [{ url: serverUrl(publicUrl) }],
      tags: TAGS,
      components: {
        securitySchemes: {
          bearerAuth: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'An access token.' },
          cookieAuth: {
            type: 'apiKey',
            in: 'cookie',
            name: cookieNames.access,
            description: 'An access token in a cookie, for browsers. Protected from CSRF: a request of an unsafe method must come from an allowed origin, or have `X-Countersign: 1`.'
          },
          sessionAuth: { type: 'apiKey', in: 'cookie', name: cookieNames.session, description: 'A stateful session in a cookie, for browsers. The same protection from CSRF applies.' },
          clientAuth: { type: 'http', scheme: 'basic', description: 'The client id and client secret of a service.' },
          clientToken: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'An access token from the client credentials grant.' }
        }
      }
    },
    transformObject: markOptionalBodies,
    refResolver: { buildLocalReference: ({ $id }, _baseUri, _fragment, index) => typeof $id === 'string' ? schemaName($id) : `def-${index}` }
  })
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: PAGE_POLICY,
    uiConfig: { layout: 'BaseLayout', deepLinking: true },
    theme: { title: 'Countersign API' }
  })
  app.get('/openapi.json', { schema: { hide: true } }, (_request, reply) => reply.send(app.swagger()))
}

// On a developer's machine: the host that the document was loaded from, by whichever name.
function serverUrl (publicUrl: string): string {
  const { hostname } = new URL(publicUrl)
  return ['localhost', '127.0.0.1', '[::1]'].includes(hostname) ? '/' : publicUrl
}
