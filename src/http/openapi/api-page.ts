import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest, type InjectOptions } from 'fastify'
import { handleUnknownRoutes } from '../problem-response.ts'

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

// Of the connection between the page's instance and this one, which there is none of.
const OF_CONNECTION = new Set(['connection', 'date', 'keep-alive', 'transfer-encoding'])

/**
 * Serves an API page at `/docs` that loads nothing from elsewhere. It is opened, in an instance of its own, when somebody
 * first asks for it: nobody asks most instances, and to load it takes an eighth of a start.
 */
export function addApiPage (app: FastifyInstance): void {
  let opening: Promise<FastifyInstance> | undefined

  async function sendPage ({ method, url, headers }: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    opening ??= openPage(app.swagger).catch((error: unknown) => {
      opening = undefined
      throw error
    })
    const page = await opening
    const response = await page.inject({ method: method as NonNullable<InjectOptions['method']>, url, headers })
    const kept = Object.entries(response.headers).filter(([name]) => !OF_CONNECTION.has(name))
    return reply.code(response.statusCode).headers(Object.fromEntries(kept)).send(response.rawPayload)
  }

  for (const url of ['/docs', '/docs/*']) app.get(url, { schema: { hide: true } }, sendPage)
  app.addHook('onClose', async () => { await (await opening)?.close() })
}

async function openPage (document: FastifyInstance['swagger']): Promise<FastifyInstance> {
  const { default: swaggerUi } = await import('@fastify/swagger-ui')
  const page: FastifyInstance = Fastify()
  page.decorate('swagger', document)
  handleUnknownRoutes(page)
  // Not by its own name, which asks for @fastify/swagger in the same instance.
  await page.register((instance, options: Parameters<typeof swaggerUi>[1]) => swaggerUi(instance, options, () => {}), {
    routePrefix: '/docs',
    staticCSP: PAGE_POLICY,
    uiConfig: { layout: 'BaseLayout', deepLinking: true },
    theme: { title: 'Countersign API' }
  })
  return page
}
