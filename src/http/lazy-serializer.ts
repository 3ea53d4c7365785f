import { SerializerSelector, type SerializerCompiler } from '@fastify/fast-json-stringify-compiler'
import type { FastifyInstance } from 'fastify'
import type { NamedSchemas } from './schemas.ts'

/**
 * Writes an instance's answers by their schemas, whatever its host writes its own with. Each schema is compiled when its
 * first answer is written: most of them are for errors, and a start would wait for all.
 */
export function serializeLazily (app: FastifyInstance, schemas: NamedSchemas): void {
  const build = SerializerSelector()
  let compile: SerializerCompiler | undefined
  app.setSerializerCompiler(({ schema, method, url, httpStatus = '' }) => {
    let serialize: ReturnType<SerializerCompiler> | undefined
    return data => {
      serialize ??= (compile ??= build(schemas))({ schema, method, url, httpStatus })
      return serialize(data)
    }
  })
}
