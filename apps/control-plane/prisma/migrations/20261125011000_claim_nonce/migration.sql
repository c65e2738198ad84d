-- AlterTable
ALTER TABLE "attempt" ADD COLUMN     "claim_nonce" TEXT;

-- AlterTable
ALTER TABLE "run" ADD COLUMN     "claim_nonce" TEXT;
