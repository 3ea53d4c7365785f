/** Where what a guard found is kept on a request. */
export interface RequestSlot<Found> {
  read (request: object): Found | null
  write (request: object, found: Found): void
}

/**
 * Keeps it under a symbol, and under a property too where one is named. The property is assigned and never declared: so
 * an app may have another plugin that declares it, before this one or after. What that plugin puts there is none of ours.
 */
export function createRequestSlot<Found> (property?: string): RequestSlot<Found> {
  const own = Symbol('countersign')
  type Carrier = { [own]?: Found, [name: string]: unknown }

  return {
    read: request => (request as Carrier)[own] ?? null,
    write (request, found) {
      const carrier = request as Carrier
      carrier[own] = found
      if (property !== undefined) carrier[property] = found
    }
  }
}
