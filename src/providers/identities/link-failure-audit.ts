import type { AuditStore } from '../../audit/store.ts'
import { Problem, type ProblemCode } from '../../errors.ts'
import type { ClientInfo } from '../../http/client-info.ts'
import type { LinkingSession } from './identity-store.ts'

// Failures that may be an attack. A failure at the provider is not recorded, nor a code that was never issued.
const AUDITED: readonly ProblemCode[] = ['different_session', 'identity_taken']

export type RecordLinkFailure = ReturnType<typeof createRecordLinkFailure>

export function createRecordLinkFailure (audit: Pick<AuditStore, 'recordRepeatable'>) {
  /** Records why linking was refused, if that may be an attack. @param provider where it is known */
  return function recordLinkFailure (error: unknown, { userId, sessionId }: LinkingSession, provider: string | undefined, client: ClientInfo): void {
    if (!(error instanceof Problem) || !AUDITED.includes(error.code)) return
    const detail = { ...provider !== undefined && { provider }, code: error.code }
    audit.recordRepeatable({ action: 'identity_link', outcome: 'failure', actorId: userId, subjectId: userId, sessionId, detail, ...client })
  }
}
