-- AlterTable
ALTER TABLE "users" ADD COLUMN     "deletion_due_at" TIMESTAMPTZ(3),
ADD COLUMN     "email_undeliverable_at" TIMESTAMPTZ(3);

-- CreateIndex
-- Of the few accounts that are to be deleted.
CREATE INDEX "users_deletion_due_at_idx" ON "users"("deletion_due_at") WHERE "deletion_due_at" IS NOT NULL;
