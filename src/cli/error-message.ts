import { Problem } from '../errors.ts'

/** @returns one sentence that says what failed and what to do */
export function errorMessage (error: unknown): string {
  if (error instanceof Problem) return error.detail ?? error.errors?.map(({ field, detail }) => `${field} ${detail}`).join('; ') ?? error.message
  if (!(error instanceof Error)) return String(error)
  const { code, port, address } = error as NodeJS.ErrnoException & { port?: number, address?: string }
  if (code === 'EADDRINUSE') return `Port ${port} on ${address} is in use by another process: stop it, or choose another with PORT.`
  if (code === 'EACCES' && port !== undefined) return `Port ${port} needs privileges that this process lacks: choose one above 1023 with PORT.`
  if (code === 'EADDRNOTAVAIL') return `This machine has no address ${address}: choose another with HOST.`
  if (code === 'ENOTFOUND' && error.message.startsWith('getaddrinfo')) return 'HOST cannot be resolved to an address of this machine.'
  return error.message
}
