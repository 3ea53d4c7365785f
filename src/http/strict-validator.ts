import AjvCompiler from '@fastify/ajv-compiler'
import type { FastifyInstance, FastifySchema, FastifySchemaCompiler } from 'fastify'
import type { FieldProblem } from '../errors.ts'
import { isEmailAddress } from './email-address.ts'
import type { NamedSchemas } from './schemas.ts'

type SchemaErrors = NonNullable<import('fastify').FastifyError['validation']>

// A body is validated as it is: no coercion, nothing removed. Everything in a URL is text, so numbers are parsed from it.
const STRICT = { coerceTypes: false, removeAdditional: false, useDefaults: true, allErrors: true } as const
const FROM_TEXT = { ...STRICT, coerceTypes: true } as const

type Validator = ReturnType<FastifySchemaCompiler<FastifySchema>>

/** Validates requests by the service's own rules, whatever validator the host uses. */
export function validateStrictly (app: FastifyInstance, schemas: NamedSchemas): void {
  const compiled = compiledWith.get(schemas) ?? rememberCompiled(schemas)
  app.setValidatorCompiler(route => whenFirstUsed(route.httpPart === 'body' ? compiled.strict : compiled.fromText, route))
}

type Compile = (route: Parameters<FastifySchemaCompiler<FastifySchema>>[0]) => Validator

// One set for all services of a process: to compile takes longer than all the rest of a start.
const compiledWith = new WeakMap<NamedSchemas, { strict: Compile, fromText: Compile }>()

function rememberCompiled (schemas: NamedSchemas) {
  const compiled = { strict: onceEach(schemas, STRICT), fromText: onceEach(schemas, FROM_TEXT) }
  compiledWith.set(schemas, compiled)
  return compiled
}

/** Compiles each schema once, by what it says: every app has its own copy of a route's schema. */
function onceEach (schemas: NamedSchemas, customOptions: typeof STRICT | typeof FROM_TEXT): Compile {
  const validators = new Map<string, Validator>()
  let compiler: FastifySchemaCompiler<FastifySchema> | undefined
  return route => {
    const key = JSON.stringify(route.schema)
    const known = validators.get(key)
    if (known !== undefined) return known
    compiler ??= AjvCompiler()(schemas, { customOptions, onCreate: addFormats }) as FastifySchemaCompiler<FastifySchema>
    const validate = compiler(route)
    validators.set(key, validate)
    return validate
  }
}

// Compiling the schemas of all routes would delay the start.
function whenFirstUsed (compile: Compile, route: Parameters<Compile>[0]): Validator {
  let validate: Validator | undefined
  const validator: Validator = data => {
    validate ??= compile(route)
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
const NO_ADDRESS = 'must be an e-mail address, without invisible or unassigned characters'
const NOT_KNOWN = 'is not a known field'

/** The fields that a schema refused: each once, at most twenty. */
export function describeInvalidFields (errors: SchemaErrors): FieldProblem[] {
  const fields = new Map<string, FieldProblem>()
  for (const error of errors) {
    const pointer = pointerOf(error)
    if (fields.size === MOST_FIELDS) break
    if (fields.has(pointer) || isOfOtherBranch(error, errors)) continue
    fields.set(pointer, {
      field: pointer.slice(1).replaceAll('/', '.').replaceAll('~1', '/').replaceAll('~0', '~'),
      pointer: `#${pointer}`,
      detail: detailOf(error)
    })
  }
  return [...fields.values()]
}

/** Names fields that nobody knows, where no schema was asked, the first twenty. */
export function describeUnknownFields (names: readonly string[]): FieldProblem[] {
  return names.slice(0, MOST_FIELDS).map(name => ({ field: name, pointer: `#/${escapePointer(name)}`, detail: NOT_KNOWN }))
}

function detailOf ({ params, message = 'is not valid' }: SchemaErrors[number]): string {
  if (params.additionalProperty !== undefined) return NOT_KNOWN
  return params.format === 'email' ? NO_ADDRESS : message
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
