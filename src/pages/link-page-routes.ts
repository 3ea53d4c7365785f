import type { FastifyError, FastifyPluginCallback, FastifyReply, FastifyRequest } from 'fastify'
import { Problem } from '../errors.ts'
import { abortOnDisconnect } from '../http/abort-on-disconnect.ts'
import { clientInfo } from '../http/client-info.ts'
import { clientNetwork } from '../http/client-network.ts'
import { html, type Html } from '../http/html.ts'
import { limitBodies } from '../http/limits.ts'
import { toProblem, type IsUnavailable } from '../http/problem-response.ts'
import { whileReserved, type AttemptLimiter } from '../limits/attempt-limiter.ts'
import { reportTo } from '../limits/limit-by-network.ts'
import { catalogue } from '../messages/catalogue.ts'
import { LOCALES, negotiateLocale } from '../messages/locales.ts'
import { acceptOnlyForms, formFields } from './form-body.ts'
import type { LinkDetails, LinkPage } from './link-page.ts'
import { PAGE_HEADERS, pageDocument } from './page-document.ts'
import { problemText } from './problem-text.ts'
import { assertSameOrigin } from './same-origin.ts'

export interface LinkPageRoutesOptions {
  pages: readonly LinkPage[]
  /** `PUBLIC_URL`. */
  publicUrl: string
  /** What pages call the service. */
  service: string
  isUnavailable: IsUnavailable
  limiter: AttemptLimiter
  /** Reads whom a front end makes the request for. */
  readForwardedClient: (request: FastifyRequest) => void
}

// The rest of the page says why, and there is nothing to press any more.
const FINAL = ['link_invalid', 'link_used', 'link_expired', 'cross_site_request']

/** The pages that links in mails lead to. GET and HEAD use up nothing; the form posts to the same path. */
export const linkPageRoutes: FastifyPluginCallback<LinkPageRoutesOptions> = (app, { pages, publicUrl, service, isUnavailable, limiter, readForwardedClient }, done) => {
  const { origin } = new URL(publicUrl)
  acceptOnlyForms(app)
  limitBodies(app)
  // Pages are for people, not for scripts of other origins.
  app.addHook('onSend', (_request, reply, payload, done) => {
    for (const name of ['access-control-allow-origin', 'access-control-allow-credentials', 'access-control-expose-headers']) reply.removeHeader(name)
    done(null, payload)
  })
  app.addHook('onRequest', (request, _reply, done) => {
    readForwardedClient(request)
    done()
  })
  app.setErrorHandler<FastifyError>((error, request, reply) => {
    const { pages: { problems, error: label } } = textsFor(request)
    const problem = settleProblem(error, request, reply)
    return send(request, reply, { title: `${label}: ${service}`, heading: label, content: alert(problemText(textsFor(request).pages, problem) || problems.other) })
  })

  for (const page of pages) {
    app.get<{ Querystring: { token?: unknown } }>(page.path, { schema: { hide: true }, exposeHeadRoute: true }, async (request, reply) => {
      const token = page.needsToken === false ? '' : request.query.token
      try {
        if (typeof token !== 'string') throw new Problem('link_invalid')
        // To look costs a query. Only links that are no good count: whoever has a good one may open it as often as they like.
        const network = clientNetwork(request)
        const isLookedUp = page.needsToken !== false
        const reservation = isLookedUp ? await limiter.reserve([{ rule: 'network', by: network === null ? undefined : ['page', network] }], reportTo(reply)) : undefined
        const details = reservation === undefined ? await page.look(token, request) : await whileReserved(reservation, () => page.look(token, request))
        await reservation?.giveBack()
        return await show(page, request, reply, { token, details })
      } catch (error) {
        return await show(page, request, reply, { problem: settleProblem(error, request, reply) })
      }
    })

    app.post(page.path, { schema: { hide: true } }, async (request, reply) => {
      const fields = formFields(request.body)
      const token = fields.get('token') ?? ''
      try {
        assertSameOrigin(request, origin)
        await page.act({ token, field: name => fields.get(name) ?? '', client: clientInfo(request), signal: abortOnDisconnect(reply), report: reportTo(reply), locale: negotiateLocale(request.headers['accept-language']), request, reply })
      } catch (error) {
        const problem = settleProblem(error, request, reply)
        const details = FINAL.includes(problem.code) ? undefined : await page.look(token, request).catch(() => undefined)
        return await show(page, request, reply, { problem, token, details })
      }
      const { title, done } = textsFor(request).pages.links[page.texts]({ service })
      return send(request, reply, { title: `${title}: ${service}`, heading: title, content: html`<p role="status">${done}</p>` })
    })
  }
  done()

  function show (page: LinkPage, request: FastifyRequest, reply: FastifyReply, { problem, token, details }: { problem?: Problem, token?: string, details?: LinkDetails | undefined }): FastifyReply {
    const { pages: texts } = textsFor(request)
    const { title, lead, action } = texts.links[page.texts]({ service })
    const words = problem && problemText(texts, problem)
    // What is said at the field is not said twice.
    const objection = problem !== undefined && isAtField(problem) ? words : undefined
    const form = token !== undefined && details !== undefined && html`<p>${lead}</p>
<form method="post" action="?">
${page.needsToken !== false && html`<input type="hidden" name="token" value="${token}">`}
${page.fields?.({ ...details, texts, objection })}
<button type="submit">${action}</button>
</form>`
    return send(request, reply, {
      title: `${problem === undefined ? '' : `${texts.error}: `}${title}: ${service}`,
      heading: title,
      content: html`${words !== undefined && (objection === undefined || form === false) && alert(words)}${form}`
    })
  }

  function send (request: FastifyRequest, reply: FastifyReply, page: { title: string, heading: string, content: Html }): FastifyReply {
    return reply.headers(PAGE_HEADERS).send(pageDocument({ locale: localeOf(request), ...page }).toString())
  }

  function settleProblem (error: unknown, request: FastifyRequest, reply: FastifyReply): Problem {
    const problem = toProblem(error as FastifyError, isUnavailable)
    if (problem.statusCode >= 500 && problem.code !== 'too_busy') request.log.error({ err: problem.cause ?? problem, code: problem.code }, problem.message)
    reply.code(problem.statusCode).headers(problem.headers)
    return problem
  }
}

function alert (words: string): Html {
  return html`<p class="bad" role="alert">${words}</p>`
}

function isAtField ({ code, errors }: Problem): boolean {
  return code === 'invalid_credentials' || errors?.[0]?.code !== undefined
}

function localeOf ({ headers }: FastifyRequest) {
  return negotiateLocale(headers['accept-language']) ?? LOCALES[0]
}

function textsFor (request: FastifyRequest) {
  return catalogue[localeOf(request)]
}
