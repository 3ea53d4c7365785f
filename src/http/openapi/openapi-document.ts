import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import type { Cookies } from '../cookies.ts'
import { markOptionalBodies } from './openapi-optional-bodies.ts'
import { schemaName } from '../schemas.ts'

/** What the document says of this deployment. */
export interface OpenApiOptions {
  version: string
  publicUrl: string
  cookieNames: Cookies['names']
}

const TAGS = [
  { name: 'Accounts', description: 'Register, and one\'s own profile' },
  { name: 'Sessions', description: 'Log in, log out, be recognised' },
  { name: 'Providers', description: 'Sign in with Google, GitHub, Facebook or any OpenID provider' },
  { name: 'Admin', description: 'For the role `admin`' },
  { name: 'Services', description: 'For other services, as OAuth clients' },
  { name: 'Operations', description: 'For those who run the service' }
]

// The page brings everything itself; its icons are data: URLs.
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

/** Serves `/openapi.json`, made from the schemas that validate, and an API page at `/docs` that needs no network. */
export async function addOpenApi (app: FastifyInstance, { version, publicUrl, cookieNames }: OpenApiOptions): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Countersign',
        version,
        description: 'Authentication: accounts, sessions, and access tokens.',
        license: { name: 'MIT', identifier: 'MIT' }
      },
      servers: [{ url: serverUrl(publicUrl) }],
      tags: TAGS,
      components: {
        securitySchemes: {
          bearerAuth: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'The access token' },
          cookieAuth: {
            type: 'apiKey',
            in: 'cookie',
            name: cookieNames.access,
            description: 'The access token, as browsers carry it. A request that changes something must come from an allowed origin, or carry `X-Countersign: 1`.'
          },
          sessionAuth: { type: 'apiKey', in: 'cookie', name: cookieNames.session, description: 'A stateful session, as browsers carry it. The same rule holds.' },
          clientAuth: { type: 'http', scheme: 'basic', description: 'A service\'s client id and secret' },
          clientToken: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'An access token that a service got for itself' }
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

// On the developer's own machine the service is where the document came from, under whichever of its names.
function serverUrl (publicUrl: string): string {
  const { hostname } = new URL(publicUrl)
  return ['localhost', '127.0.0.1', '[::1]'].includes(hostname) ? '/' : publicUrl
}
