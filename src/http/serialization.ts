import { SerializerSelector, type SerializerCompiler } from '@fastify/fast-json-stringify-compiler'
import type { FastifyInstance } from 'fastify'
import type { NamedSchemas } from './schemas.ts'

/** Writes an instance's answers by their schemas, whatever its host writes its own with. */
export function writeBySchema (app: FastifyInstance, schemas: NamedSchemas): void {
  const build = SerializerSelector()
  let compile: SerializerCompiler | undefined
  app.setSerializerCompiler(({ schema, method, url, httpStatus = '' }) =>
    (compile ??= build(schemas))({ schema, method, url, httpStatus }))
}
