-- AlterTable
ALTER TABLE "one_time_tokens" ADD COLUMN     "code_mac" BYTEA,
ADD COLUMN     "request_hash" BYTEA,
ADD COLUMN     "tries" INTEGER NOT NULL DEFAULT 0;

-- AlterTable
ALTER TABLE "users" ADD COLUMN     "locale" TEXT;

-- CreateTable
CREATE TABLE "outbox" (
    "id" UUID NOT NULL,
    "kind" TEXT NOT NULL,
    "lane" TEXT,
    "seq" BIGINT NOT NULL GENERATED ALWAYS AS IDENTITY,
    "user_id" UUID,
    "payload" TEXT NOT NULL,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "due_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "claim" UUID,
    "dead_at" TIMESTAMPTZ(3),
    "last_error" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "outbox_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "email_holds" (
    "email" TEXT NOT NULL,
    "user_id" UUID NOT NULL,
    "until" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "email_holds_pkey" PRIMARY KEY ("email")
);

-- CreateIndex
CREATE INDEX "outbox_dead_at_due_at_idx" ON "outbox"("dead_at", "due_at");

-- CreateIndex
CREATE INDEX "outbox_lane_seq_idx" ON "outbox"("lane", "seq");

-- CreateIndex
CREATE INDEX "email_holds_user_id_idx" ON "email_holds"("user_id");

-- CreateIndex
CREATE INDEX "email_holds_until_idx" ON "email_holds"("until");

-- CreateIndex
CREATE UNIQUE INDEX "one_time_tokens_request_hash_key" ON "one_time_tokens"("request_hash");

-- AddForeignKey
ALTER TABLE "email_holds" ADD CONSTRAINT "email_holds_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;
