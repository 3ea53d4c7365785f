import type { AuditAction, AuditStore } from '../audit/store.ts'
import { Problem } from '../errors.ts'
import type { ClientInfo } from '../http/client-info.ts'
import type { MailedProof, MailedPurpose, MailedSecret, MailedSecretStore } from '../one-time-tokens/mailed-secret-store.ts'

export interface OpenSecretDeps {
  secrets: Pick<MailedSecretStore, 'show'>
  audit: Pick<AuditStore, 'recordRepeatable'>
  purposes: readonly MailedPurpose[]
  /** What the secret is shown for, as the audit trail names it. */
  action: AuditAction
}

/** @returns what finds the secret that a link or a code shows, and uses up nothing */
export function createOpenSecret<Data> ({ secrets, audit, purposes, action }: OpenSecretDeps) {
  return {
    /** Looks at a link before its button is pressed. @throws Problem `link_invalid`, `link_used`, `link_expired` */
    async look (token: string): Promise<MailedSecret<Data>> {
      const shown = await secrets.show<Data>(purposes, { token })
      if (!shown.isGood) throw new Problem(shown.refusal)
      return shown.secret
    },

    /** Counts a wrong code, and records a refusal. @throws Problem `link_invalid`, `link_used`, `link_expired`, `invalid_code` */
    async open (proof: MailedProof, client: ClientInfo): Promise<MailedSecret<Data>> {
      const shown = await secrets.show<Data>(purposes, proof)
      if (shown.isGood) return shown.secret
      const { refusal, userId: subjectId } = shown
      // What never was leaves nothing behind.
      if (subjectId !== undefined) audit.recordRepeatable({ action, outcome: 'failure', subjectId, detail: { code: refusal }, ...client })
      throw new Problem(refusal)
    }
  }
}

/** The account is gone, disabled, or has another address: what was mailed to this one is void. @throws Problem `link_invalid`, `invalid_code` */
export function refuseVoid (proof: MailedProof): never {
  throw new Problem('token' in proof ? 'link_invalid' : 'invalid_code')
}
