import { createHash } from 'node:crypto'
import type { Database } from '../../database/database.ts'
import { statement } from '../../database/statement.ts'
import type { SignInFailure } from './redirect-targets.ts'

/** Where the browser was sent when a flow was over. */
export interface FlowAnswer {
  redirectTo: string
  failure: SignInFailure | null
  /** Whom it signed in, or whose account it linked to; `null` where it failed. */
  userId: string | null
}

export type FlowAnswersStore = ReturnType<typeof createFlowAnswersStore>

const PURPOSE = 'flow_answer'

// Of two answers the first counts.
const RECORD = statement('flow-answers.record', `
  INSERT INTO one_time_tokens (hash, purpose, user_id, data, expires_at)
  SELECT :hash::bytea, '${PURPOSE}', (SELECT id FROM users WHERE id = :userId::uuid), jsonb_build_object('redirectTo', :redirectTo::text, 'failure', :failure::jsonb), now() + make_interval(secs => :life::float8)
  ON CONFLICT (hash) DO NOTHING`)

const FIND = statement('flow-answers.find', `
  SELECT data->>'redirectTo' AS "redirectTo", nullif(data->'failure', 'null') AS failure, user_id::text AS "userId" FROM one_time_tokens
  WHERE hash = :hash::bytea AND purpose = '${PURPOSE}' AND expires_at > now()`)

/** The answers of flows that are over, by their states: so that a reload of a callback goes where the first went. */
export function createFlowAnswersStore ({ query }: Pick<Database, 'query'>) {
  return {
    /** @param life seconds */
    async record (state: string, { redirectTo, failure, userId }: FlowAnswer, life: number): Promise<void> {
      await query(RECORD, { hash: hashOf(state), redirectTo, failure: failure === null ? null : JSON.stringify(failure), userId, life })
    },

    async find (state: string): Promise<FlowAnswer | undefined> {
      const [answer] = await query<FlowAnswer>(FIND, { hash: hashOf(state) })
      return answer
    }
  }
}

function hashOf (state: string): Buffer {
  return createHash('sha256').update(`${PURPOSE}:${state}`).digest()
}
