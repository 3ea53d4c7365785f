import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import type { Cookies } from './cookies.ts'

/** What the document says of this deployment. */
export interface OpenApiOptions {
  version: string
  publicUrl: string
  cookieNames: Cookies['names']
}

const TAGS = [
  { name: 'Accounts', description: 'Register, and one\'s own profile' },
  { name: 'Sessions', description: 'Log in, log out, be recognised' },
  { name: 'Admin', description: 'For the role `admin`' },
  { name: 'Operations', description: 'For those who run the service' }
]

/** Serves `/openapi.json`, made from the schemas that validate, and an API page at `/docs` that needs no network. */
export async function addOpenApi (app: FastifyInstance, { version, publicUrl, cookieNames }: OpenApiOptions): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Countersign',
        version,
        description: 'Authentication: accounts, sessions, and access tokens that can be revoked at once.',
        license: { name: 'MIT', identifier: 'MIT' }
      },
      servers: [{ url: publicUrl }],
      tags: TAGS,
      security: [],
      components: {
        securitySchemes: {
          bearerAuth: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'The access token' },
          cookieAuth: { type: 'apiKey', in: 'cookie', name: cookieNames.access, description: 'The access token, as browsers carry it' },
          sessionAuth: { type: 'apiKey', in: 'cookie', name: cookieNames.session, description: 'A stateful session' }
        }
      }
    },
    refResolver: { buildLocalReference: ({ $id }, _baseUri, _fragment, index) => typeof $id === 'string' ? $id : `def-${index}` }
  })
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: true,
    uiConfig: { url: '/openapi.json', deepLinking: true },
    theme: { title: 'Countersign API' }
  })
  app.get('/openapi.json', { schema: { hide: true } }, (_request, reply) => reply.send(app.swagger()))
}
