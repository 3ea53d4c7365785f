import { Type, type Static, type TSchema } from 'typebox'
import type { FastifyInstance } from 'fastify'
import { ROLES } from 'countersign-verifier'
import { catalogue, type ProblemCode } from '../errors.ts'

export const Time = Type.String({ format: 'date-time', description: 'ISO 8601, UTC', examples: ['2026-01-31T12:00:00.000Z'] })
export const Id = Type.String({ format: 'uuid', examples: ['01890a5d-ac96-774b-bcce-b302099a8057'] })
export const RoleName = Type.Enum([...ROLES], { description: 'What the account may do' })

/** A value that may be null, written so that OpenAPI tools understand it. */
export function Nullable<T extends TSchema> (schema: T) {
  return Type.Union([schema, Type.Null()])
}

export const ProblemSchema = Type.Object({
  type: Type.String({ description: 'A URI for this kind of problem' }),
  title: Type.String(),
  status: Type.Integer(),
  code: Type.Enum(Object.keys(catalogue) as ProblemCode[], { description: 'The stable name of the problem' }),
  detail: Type.Optional(Type.String()),
  errors: Type.Optional(Type.Array(Type.Object({
    field: Type.String({ description: 'The field, dotted where it is nested' }),
    pointer: Type.String({ description: 'A JSON Pointer to it (RFC 6901), as a fragment' }),
    detail: Type.String()
  }), { description: 'Every field that is not valid' }))
}, { $id: 'Problem', description: 'RFC 9457 problem details' })

export const PrincipalSchema = Type.Object({
  id: Id,
  email: Nullable(Type.String({ description: 'An identity only where emailVerified is true' })),
  emailVerified: Type.Boolean(),
  role: RoleName,
  sessionId: Id,
  clientId: Nullable(Type.String()),
  scopes: Type.Array(Type.String()),
  tokenId: Nullable(Type.String()),
  issuedAt: Time,
  expiresAt: Time,
  credential: Type.Enum(['bearer', 'cookie', 'session'])
}, { $id: 'Principal', description: 'Who is asking' })

export const UserSchema = Type.Object({
  id: Id,
  email: Type.String({ examples: ['ada@example.com'] }),
  emailVerified: Type.Boolean(),
  name: Nullable(Type.String({ examples: ['Ada Lovelace'] })),
  role: RoleName,
  createdAt: Time
}, { $id: 'User', description: 'An account' })

/** An account, as the API shows it. */
export type UserView = Static<typeof UserSchema>

/** Names the schemas that several routes refer to: ours, and those of a feature that others use. */
export function addSharedSchemas (app: FastifyInstance, ...ofFeatures: readonly TSchema[]): void {
  for (const schema of [ProblemSchema, PrincipalSchema, UserSchema, ...ofFeatures]) app.addSchema(schema)
}

/** The responses of a route for the problems that it may answer with, by status. */
export function problems (...codes: ProblemCode[]) {
  const byStatus = new Map<number, ProblemCode[]>()
  for (const code of codes) {
    const [status] = catalogue[code]
    byStatus.set(status, [...byStatus.get(status) ?? [], code])
  }
  return Object.fromEntries([...byStatus].map(([status, codes]) => [status, {
    description: codes.map(code => `\`${code}\`: ${catalogue[code][1]}`).join('. '),
    content: {
      'application/problem+json': {
        schema: Type.Ref('Problem'),
        examples: Object.fromEntries(codes.map(code => [code, {
          summary: catalogue[code][1],
          value: { type: `urn:countersign:problem:${code}`, title: catalogue[code][1], status, code }
        }]))
      }
    }
  }]))
}
