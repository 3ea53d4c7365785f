-- The planner chooses among the indexes that there are, by what it knows of the values: of a table that was never analysed, or was
-- nearly empty then, nothing, or what is no longer so. So no index is left that a statement other than its own could take.

-- Few have a role, and that seldom changes.
CREATE INDEX "users_role_id_idx" ON "users"("role", "id") WHERE "role" <> 'user';

-- An account's events are listed by id, which is in the order of time.
CREATE INDEX "audit_events_subject_id_id_idx" ON "audit_events"("subject_id", "id");

-- What purges look for. Others ask whether something is still live, which most rows are: on the column alone, a plan may read
-- all of those beside the few that the statement is about.
CREATE INDEX "sessions_idle_end_purge_idx" ON "sessions"(("idle_ends_at" AT TIME ZONE 'UTC'));
CREATE INDEX "sessions_end_purge_idx" ON "sessions"(("ended_at" AT TIME ZONE 'UTC')) WHERE "ended_at" IS NOT NULL;
CREATE INDEX "one_time_tokens_purge_idx" ON "one_time_tokens"(("expires_at" AT TIME ZONE 'UTC'));
CREATE INDEX "revocations_purge_idx" ON "revocations"(("expires_at" AT TIME ZONE 'UTC'));
-- Those of sessions that the database does not know.
CREATE INDEX "revocations_unknown_idx" ON "revocations"("subject") WHERE "user_id" IS NULL AND "client_id" IS NULL;
CREATE INDEX "email_holds_purge_idx" ON "email_holds"(("until" AT TIME ZONE 'UTC'));

-- An IS NULL has no part in the order of an index, so those that wait were sorted for every few that were claimed.
CREATE INDEX "outbox_due_at_idx" ON "outbox"("due_at") WHERE "dead_at" IS NULL;
CREATE INDEX "outbox_dead_at_idx" ON "outbox"("dead_at") WHERE "dead_at" IS NOT NULL;
CREATE INDEX "outbox_purge_idx" ON "outbox"(("expires_at" AT TIME ZONE 'UTC')) WHERE "payload" <> '';

-- Of guards, most belong to accounts and do not expire.
CREATE INDEX "attempts_expires_at_idx" ON "attempts"("expires_at");
CREATE INDEX "login_guards_expires_at_idx" ON "login_guards"("expires_at") WHERE "expires_at" IS NOT NULL;

-- Last, for each keeps its table from being read until the end.
DROP INDEX "audit_events_subject_id_at_idx";
DROP INDEX "sessions_idle_ends_at_idx";
DROP INDEX "sessions_ended_at_idx";
DROP INDEX "one_time_tokens_expires_at_idx";
DROP INDEX "revocations_expires_at_idx";
DROP INDEX "email_holds_until_idx";
DROP INDEX "outbox_dead_at_due_at_idx";
