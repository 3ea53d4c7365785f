import type { SwaggerTransformObject } from '@fastify/swagger'

/** Marks a body as optional in the document where its schema allows null, which is what Fastify validates for a missing body. */
export const markOptionalBodies: SwaggerTransformObject = document => {
  if (!('openapiObject' in document)) return document.swaggerObject
  const { openapiObject } = document
  for (const path of Object.values(openapiObject.paths ?? {})) {
    for (const { requestBody } of operationsOf(path)) {
      for (const media of Object.values(requestBody?.content ?? {})) {
        const [schema, ...others] = media.schema?.anyOf?.filter(({ type }) => type !== 'null') ?? []
        if (requestBody === undefined || schema === undefined || others.length > 0) continue
        requestBody.required = false
        media.schema = schema
        media.example = schema.examples?.[0]
      }
    }
  }
  return openapiObject
}

interface Schema {
  type?: unknown
  anyOf?: Schema[]
  examples?: unknown[]
}

interface Operation {
  requestBody?: { required?: boolean, content?: Record<string, { schema?: Schema | undefined, example?: unknown }> }
}

function operationsOf (path: object | undefined): Operation[] {
  return Object.values(path ?? {}) as Operation[]
}
