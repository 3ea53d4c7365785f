-- CreateTable
CREATE UNLOGGED TABLE "ledger_identity" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "only" BOOLEAN NOT NULL DEFAULT true,

    CONSTRAINT "ledger_identity_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "ledger_identity_only_key" ON "ledger_identity"("only");
