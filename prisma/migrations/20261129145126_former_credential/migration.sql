-- AlterTable
ALTER TABLE "sessions" ADD COLUMN     "former_credential" BYTEA;

-- Only of sessions that were renewed: most never are.
CREATE INDEX "sessions_former_credential_idx" ON "sessions"("former_credential") WHERE "former_credential" IS NOT NULL;
