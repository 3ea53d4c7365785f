import { Type } from 'typebox'

/** The headers of a request whose answer can be had again. */
export const IdempotencyHeaders = Type.Object({
  'idempotency-key': Type.Optional(Type.String({ minLength: 22, maxLength: 255, description: '128 or more random bits, stored before they are sent', examples: ['f5dEaPz1TrG0pAXZlVLrKQ'] }))
})
