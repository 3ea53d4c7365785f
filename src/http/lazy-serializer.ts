import { SerializerSelector, type SerializerCompiler } from '@fastify/fast-json-stringify-compiler'
import type { FastifyInstance } from 'fastify'
import type { NamedSchemas } from './schemas.ts'

/**
 * Serializes responses by their schemas, whatever serializer the host uses. Each schema is compiled for its first response:
 * most are for errors, and compiling all of them would delay the start.
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
