-- AlterTable
ALTER TABLE "audit_events" ADD COLUMN     "coalesce_key" TEXT,
ADD COLUMN     "last_at" TIMESTAMPTZ(3),
ADD COLUMN     "times" INTEGER NOT NULL DEFAULT 1;

-- AlterTable
ALTER TABLE "clients" ADD COLUMN     "version" INTEGER NOT NULL DEFAULT 1;

-- AlterTable
ALTER TABLE "revocations" ADD COLUMN     "client_id" TEXT;

-- Only of rows that have a key: most have none, and shall not pay for it.
CREATE UNIQUE INDEX "audit_events_coalesce_key_key" ON "audit_events"("coalesce_key") WHERE "coalesce_key" IS NOT NULL;

-- The same: most rows are users'.
CREATE INDEX "revocations_client_id_expires_at_idx" ON "revocations"("client_id", "expires_at") WHERE "client_id" IS NOT NULL;
