-- AlterTable
ALTER TABLE "sessions" ADD COLUMN     "network" TEXT;

-- UNLOGGED: what it counts is forgotten within a day anyway, and a crash may begin the windows anew. Rows are rewritten by every
-- attempt: room in the page and no second index keep that from touching an index.
CREATE UNLOGGED TABLE "attempts" (
    "key" TEXT NOT NULL,
    "stamps" DOUBLE PRECISION[],
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "attempts_pkey" PRIMARY KEY ("key")
) WITH (fillfactor = 70);

-- CreateTable
CREATE TABLE "login_guards" (
    "subject" TEXT NOT NULL,
    "user_id" UUID,
    "strangers" INTEGER NOT NULL DEFAULT 0,
    "strangers_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "known" JSONB NOT NULL DEFAULT '{}',
    "last_part" TEXT NOT NULL,
    "expires_at" TIMESTAMPTZ(3),

    CONSTRAINT "login_guards_pkey" PRIMARY KEY ("subject")
);

-- CreateIndex
CREATE INDEX "login_guards_user_id_idx" ON "login_guards"("user_id");

-- AddForeignKey
ALTER TABLE "login_guards" ADD CONSTRAINT "login_guards_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;
