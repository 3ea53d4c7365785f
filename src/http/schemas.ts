import { Type, type Static, type TSchema } from 'typebox'
import type { FastifyInstance } from 'fastify'
import { ROLES } from 'countersign-verifier'
import { catalogue, type ProblemCode } from '../errors.ts'

const PREFIX = 'Countersign'

/** The `$id` of a named schema. The prefix keeps it apart from the host's own schemas, which may have a `User` too. */
function schemaId (name: string): string {
  return PREFIX + name
}

/** @returns the name of a schema in the document, by its `$id` */
export function schemaName (id: string): string {
  return id.startsWith(PREFIX) ? id.slice(PREFIX.length) : id
}

/** Refers to a named schema. */
export function named (name: string) {
  return Type.Ref(schemaId(name))
}

export const EXAMPLE = {
  id: '01890a5d-ac96-774b-bcce-b302099a8057',
  email: 'ada@example.com',
  name: 'Ada Lovelace',
  password: 'correct horse battery',
  time: '2026-01-31T12:00:00.000Z'
} as const

export const Time = Type.String({ format: 'date-time', description: 'ISO 8601, UTC', examples: [EXAMPLE.time] })
export const Id = Type.String({ format: 'uuid', examples: [EXAMPLE.id] })
export const RoleName = Type.Enum([...ROLES], { type: 'string', description: 'The role of the account' })

/** A pattern for text that goes to Postgres, which stores no NUL. */
export const WITHOUT_NUL = '^[^\\u0000]*$'

// Patterns are matched by code points: half a pair alone is in this class, and would be stored as U+FFFD.
const WELL_FORMED = '^[^\\u0000\\ud800-\\udfff]*$'

export const Email = Type.String({ format: 'email', maxLength: 320, examples: [EXAMPLE.email] })
export const Name = Type.String({ minLength: 1, maxLength: 200, pattern: WELL_FORMED, examples: [EXAMPLE.name] })

/** A value or null, in the form that OpenAPI tools understand. */
export function Nullable<T extends TSchema> (schema: T) {
  return Type.Union([schema, Type.Null()])
}

export const ProblemSchema = Type.Object({
  type: Type.String({ description: 'A URI that identifies the kind of problem' }),
  title: Type.String(),
  status: Type.Integer(),
  code: Type.Enum(Object.keys(catalogue) as ProblemCode[], { type: 'string', description: 'The stable name of the problem' }),
  detail: Type.Optional(Type.String()),
  errors: Type.Optional(Type.Array(Type.Object({
    field: Type.String({ description: 'The name of the field, dotted where it is nested' }),
    pointer: Type.String({ description: 'A JSON Pointer to the field (RFC 6901), as a URI fragment' }),
    detail: Type.String(),
    code: Type.Optional(Type.String({ description: 'Of a password: the stable name of what is wrong with it, such as `too_short`, `too_common` or `breached`', examples: ['too_common'] }))
  }), { description: 'The invalid fields, at most twenty' })),
  maxAge: Type.Optional(Type.Integer({ description: 'The longest time since the required login, in seconds (RFC 9470)', examples: [300] })),
  deletionDueAt: Type.Optional(Type.String({ format: 'date-time', description: 'When the account will be deleted', examples: [EXAMPLE.time] }))
}, { description: 'A problem document (RFC 9457)' })

export const PrincipalSchema = Type.Object({
  id: Id,
  email: Nullable(Type.String({ description: 'The e-mail address. It identifies the user only where `emailVerified` is true.' })),
  emailVerified: Type.Boolean(),
  role: RoleName,
  sessionId: Id,
  clientId: Nullable(Type.String()),
  scopes: Type.Array(Type.String()),
  tokenId: Nullable(Type.String()),
  issuedAt: Time,
  expiresAt: Time,
  credential: Type.Enum(['bearer', 'cookie', 'session'], { type: 'string', description: 'How the credential was sent: Bearer header, access cookie or session cookie' })
}, { description: 'The authenticated user' })

export const UserSchema = Type.Object({
  id: Id,
  email: Type.String({ examples: [EXAMPLE.email] }),
  emailVerified: Type.Boolean(),
  name: Nullable(Type.String({ examples: [EXAMPLE.name] })),
  role: RoleName,
  createdAt: Time
}, { description: 'An account' })

/** An account, as the API returns it. */
export type UserView = Static<typeof UserSchema>

export const EXAMPLE_USER: UserView = { id: EXAMPLE.id, email: EXAMPLE.email, emailVerified: false, name: EXAMPLE.name, role: 'user', createdAt: EXAMPLE.time }

export const EXAMPLE_IDENTITY = { id: EXAMPLE.id, provider: 'google', subject: '110169484474386276334', email: EXAMPLE.email, emailVerified: true, createdAt: EXAMPLE.time, lastUsedAt: EXAMPLE.time }

/** Schemas by their `$id`. */
export type NamedSchemas = Readonly<Record<string, TSchema & { $id: string }>>

/** The schemas that routes refer to by name: those of every route, and those of features. */
export function nameSchemas (featureSchemas: Readonly<Record<string, TSchema>> = {}): NamedSchemas {
  const byName = { Problem: ProblemSchema, Principal: PrincipalSchema, User: UserSchema, ...featureSchemas }
  return Object.fromEntries(Object.entries(byName).map(([name, schema]) => [schemaId(name), { ...schema, $id: schemaId(name) }]))
}

/** Adds schemas to an app and its document. Children inherit them from their parents. */
export function addSchemas (app: FastifyInstance, schemas: NamedSchemas): void {
  for (const schema of Object.values(schemas)) {
    if (app.getSchema(schema.$id) === undefined) app.addSchema(schema)
  }
}
