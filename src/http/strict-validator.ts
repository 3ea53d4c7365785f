import AjvCompiler from '@fastify/ajv-compiler'
import type { FastifyInstance, FastifySchema, FastifySchemaCompiler } from 'fastify'
import type { FieldProblem } from '../errors.ts'
import { isEmailAddress } from './email-address.ts'
import type { NamedSchemas } from './schemas.ts'

type SchemaErrors = NonNullable<import('fastify').FastifyError['validation']>

// A body is taken at its word: no coercion, nothing removed. In a URL everything is text, so numbers are read from it.
const STRICT = { coerceTypes: false, removeAdditional: false, useDefaults: true, allErrors: true } as const
const FROM_TEXT = { ...STRICT, coerceTypes: true } as const

/** Validates an instance's requests by our rules, whatever rules its host has chosen. */
export function validateStrictly (app: FastifyInstance, schemas: NamedSchemas): void {
  const build = AjvCompiler()
  let strict: FastifySchemaCompiler<FastifySchema> | undefined
  let fromText: FastifySchemaCompiler<FastifySchema> | undefined
  const compiler = (customOptions: typeof STRICT | typeof FROM_TEXT) =>
    build(schemas, { customOptions, onCreate: useOurFormats }) as FastifySchemaCompiler<FastifySchema>

  app.setValidatorCompiler(route => whenFirstUsed(() => {
    if (route.httpPart === 'body') return (strict ??= compiler(STRICT))(route)
    return (fromText ??= compiler(FROM_TEXT))(route)
  }))
}

type Validator = ReturnType<FastifySchemaCompiler<FastifySchema>>

// A start would otherwise wait until the schema of every route has been compiled.
function whenFirstUsed (compile: () => Validator): Validator {
  let validate: Validator | undefined
  const validator: Validator = data => {
    validate ??= compile()
    const isValid = validate(data)
    validator.errors = validate.errors ?? null
    return isValid
  }
  return validator
}

// Added last, for the compiler brings formats under these names: an ASCII one for addresses, and one that takes URNs.
function useOurFormats (ajv: { addFormat (name: string, check: RegExp | ((text: string) => boolean)): unknown }): void {
  ajv.addFormat('email', isEmailAddress)
  ajv.addFormat('uuid', /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i)
}

const MOST_FIELDS = 20
const NOT_KNOWN = 'is not a known field'

/** Names the fields that a schema refused, once each, the first twenty. */
export function describeInvalidFields (errors: SchemaErrors): FieldProblem[] {
  const fields = new Map<string, FieldProblem>()
  for (const error of errors) {
    const { params, message } = error
    const pointer = pointerOf(error)
    if (fields.size === MOST_FIELDS) break
    if (fields.has(pointer) || isOfAnotherKind(error, errors)) continue
    fields.set(pointer, {
      field: pointer.slice(1).replaceAll('/', '.').replaceAll('~1', '/').replaceAll('~0', '~'),
      pointer: `#${pointer}`,
      detail: params.additionalProperty === undefined ? message ?? 'is not valid' : NOT_KNOWN
    })
  }
  return [...fields.values()]
}

/** Names fields that nobody knows, where no schema was asked, the first twenty. */
export function describeUnknownFields (names: readonly string[]): FieldProblem[] {
  return names.slice(0, MOST_FIELDS).map(name => ({ field: name, pointer: `#/${escapePointer(name)}`, detail: NOT_KNOWN }))
}

function pointerOf ({ instancePath, params }: SchemaErrors[number]): string {
  const name = params.missingProperty ?? params.additionalProperty
  return typeof name === 'string' ? `${instancePath}/${escapePointer(name)}` : instancePath
}

function escapePointer (name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1')
}

// Where a value may be of one kind or another, such as an object or null, and something within it is wrong, it was meant to
// be of the kind that has such a thing within: that it is not of the others says nothing.
function isOfAnotherKind (error: SchemaErrors[number], errors: SchemaErrors): boolean {
  return errors.some(({ keyword, instancePath, schemaPath }) => keyword === 'anyOf' && instancePath === pointerOf(error) && error.schemaPath.startsWith(schemaPath) &&
    errors.some(other => other.schemaPath.startsWith(schemaPath) && pointerOf(other).length > instancePath.length))
}
