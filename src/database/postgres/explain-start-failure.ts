import { DatabaseUnavailable } from '../errors.ts'
import { errorCode, errorMessage } from '../../config/error-code.ts'
import { DatabaseStartError } from '../database-start-error.ts'
import type { ConnectionSettings } from './connection-settings.ts'

/** Turns an error that `pg` throws while a process starts into one sentence for the operator. */
export function explainStartFailure (error: unknown, { address, database }: Pick<ConnectionSettings, 'address' | 'database'>): DatabaseStartError {
  if (error instanceof DatabaseStartError) return error
  if (error instanceof DatabaseUnavailable && error.cause !== undefined) return explainStartFailure(error.cause, { address, database })
  const code = errorCode(error)
  const message = errorMessage(error)
  if (isNetworkFailure(code, message)) {
    return new DatabaseStartError('unreachable', `PostgreSQL at ${address} cannot be reached (${code ?? message}).`, error)
  }
  if (error instanceof DatabaseUnavailable || code === '57014') {
    return new DatabaseStartError('unreachable', `PostgreSQL at ${address} did not answer in time.`, error)
  }
  if (code?.startsWith('57P')) {
    return new DatabaseStartError('unreachable', `PostgreSQL at ${address} takes no connections now: ${message}.`, error)
  }
  if (code === '28P01' || code === '28000' || message.startsWith('SASL')) {
    return new DatabaseStartError('authentication_refused', `PostgreSQL at ${address} refused the user or the password.`, error)
  }
  if (code === '3D000') {
    return new DatabaseStartError('database_missing', `PostgreSQL at ${address} has no database "${database}".`, error)
  }
  if (code === '53300') {
    return new DatabaseStartError('too_many_connections', `PostgreSQL at ${address} has no connection left to give.`, error)
  }
  if (code === '42501') {
    return new DatabaseStartError('permission_denied', `PostgreSQL at ${address} forbids what the start needs: ${message}.`, error)
  }
  if (message.includes('SSL') || code?.startsWith('ERR_TLS') || message.includes('certificate')) {
    return new DatabaseStartError('tls_refused', `PostgreSQL at ${address} and this process agree on no encryption: ${message}.`, error)
  }
  return new DatabaseStartError('failed', `The database "${database}" at ${address} could not be opened: ${message}.`, error)
}

const NETWORK_CODES = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'EPIPE', 'ENOENT', 'EACCES'])

function isNetworkFailure (code: string | undefined, message: string) {
  return NETWORK_CODES.has(code ?? '') || /^timeout expired|^Connection terminated|timeout exceeded when trying to connect/.test(message)
}
