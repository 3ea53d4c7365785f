import { SerializerSelector } from '@fastify/fast-json-stringify-compiler'
import type { FastifyInstance, FastifySchema, FastifySerializerCompiler } from 'fastify'

/** Writes an instance's answers by their schemas, whatever its host writes answers with. */
export function writeBySchema (app: FastifyInstance): void {
  const build = SerializerSelector()
  let compile: FastifySerializerCompiler<FastifySchema> | undefined
  app.setSerializerCompiler(route => (compile ??= build(app.getSchemas()))(route))
}
