import type { IncomingHttpHeaders } from 'node:http'

/** @returns the milliseconds that an answer asks to wait (RFC 9110 §10.2.3, in seconds), at most `longest`; 0 where it says nothing */
export function retryAfter ({ 'retry-after': seconds }: IncomingHttpHeaders, longest: number): number {
  return seconds !== undefined && /^\d{1,9}$/.test(seconds) ? Math.min(Number(seconds) * 1000, longest) : 0
}
