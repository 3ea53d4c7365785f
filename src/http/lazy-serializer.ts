import { SerializerSelector, type SerializerCompiler } from '@fastify/fast-json-stringify-compiler'
import type { FastifyInstance } from 'fastify'
import type { NamedSchemas } from './schemas.ts'

type Serializer = ReturnType<SerializerCompiler>

/**
 * Serializes responses by their schemas, whatever serializer the host uses. Each schema is compiled for its first response:
 * most are for errors, and compiling all of them would delay the start.
 */
export function serializeLazily (app: FastifyInstance, schemas: NamedSchemas): void {
  const compile = compilers.get(schemas) ?? rememberCompiler(schemas)
  app.setSerializerCompiler(({ schema, method, url, httpStatus = '' }) => {
    let serialize: Serializer | undefined
    return data => {
      serialize ??= compile({ schema, method, url, httpStatus })
      return serialize(data)
    }
  })
}

// One for all services of a process.
const compilers = new WeakMap<NamedSchemas, SerializerCompiler>()

/** Compiles each schema once, by what it says: every app has its own copy, and many routes have the same. */
function rememberCompiler (schemas: NamedSchemas): SerializerCompiler {
  const serializers = new Map<string, Serializer>()
  let compile: SerializerCompiler | undefined
  const compiler: SerializerCompiler = route => {
    const key = JSON.stringify(route.schema)
    const known = serializers.get(key)
    if (known !== undefined) return known
    const serialize = (compile ??= SerializerSelector()(schemas))(route)
    serializers.set(key, serialize)
    return serialize
  }
  compilers.set(schemas, compiler)
  return compiler
}
