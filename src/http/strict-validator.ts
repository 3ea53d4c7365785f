import AjvCompiler from '@fastify/ajv-compiler'
import type { FastifyInstance, FastifySchema, FastifySchemaCompiler } from 'fastify'
import type { FieldProblem } from '../errors.ts'
import { isEmailAddress } from './email-address.ts'
import type { NamedSchemas } from './schemas.ts'

type SchemaErrors = NonNullable<import('fastify').FastifyError['validation']>

// A body is validated as it is: no coercion, nothing removed. Everything in a URL is text, so numbers are parsed from it.
const STRICT = { coerceTypes: false, removeAdditional: false, useDefaults: true, allErrors: true } as const
const FROM_TEXT = { ...STRICT, coerceTypes: true } as const

/** Validates requests by the service's own rules, whatever validator the host uses. */
export function validateStrictly (app: FastifyInstance, schemas: NamedSchemas): void {
  const build = AjvCompiler()
  let strict: FastifySchemaCompiler<FastifySchema> | undefined
  let fromText: FastifySchemaCompiler<FastifySchema> | undefined
  const compiler = (customOptions: typeof STRICT | typeof FROM_TEXT) =>
    build(schemas, { customOptions, onCreate: addFormats }) as FastifySchemaCompiler<FastifySchema>

  app.setValidatorCompiler(route => whenFirstUsed(() => {
    if (route.httpPart === 'body') return (strict ??= compiler(STRICT))(route)
    return (fromText ??= compiler(FROM_TEXT))(route)
  }))
}

type Validator = ReturnType<FastifySchemaCompiler<FastifySchema>>

// Compiling the schemas of all routes would delay the start.
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

// Added last, to replace the compiler's own: its `email` is ASCII only, and its `uuid` accepts URNs.
function addFormats (ajv: { addFormat (name: string, check: RegExp | ((text: string) => boolean)): unknown }): void {
  ajv.addFormat('email', isEmailAddress)
  ajv.addFormat('uuid', /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i)
}

const MOST_FIELDS = 20
const NOT_KNOWN = 'is not a known field'

/** The fields that a schema refused: each once, at most twenty. */
export function describeInvalidFields (errors: SchemaErrors): FieldProblem[] {
  const fields = new Map<string, FieldProblem>()
  for (const error of errors) {
    const { params, message } = error
    const pointer = pointerOf(error)
    if (fields.size === MOST_FIELDS) break
    if (fields.has(pointer) || isOfOtherBranch(error, errors)) continue
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

// Of a union such as object-or-null, every branch reports an error. Where a nested field is wrong, the branch that has that
// field was meant, and the errors of the other branches are noise.
function isOfOtherBranch (error: SchemaErrors[number], errors: SchemaErrors): boolean {
  return errors.some(({ keyword, instancePath, schemaPath }) => keyword === 'anyOf' && instancePath === pointerOf(error) && error.schemaPath.startsWith(schemaPath) &&
    errors.some(other => other.schemaPath.startsWith(schemaPath) && pointerOf(other).length > instancePath.length))
}
