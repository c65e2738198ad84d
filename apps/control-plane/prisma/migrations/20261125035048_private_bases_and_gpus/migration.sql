-- AlterTable
ALTER TABLE "base" DROP CONSTRAINT "base_pkey",
ADD COLUMN     "access" TEXT NOT NULL DEFAULT '',
ADD CONSTRAINT "base_pkey" PRIMARY KEY ("workspace", "reference", "platform", "access");

-- AlterTable
ALTER TABLE "worker" ADD COLUMN     "gpus" INTEGER NOT NULL DEFAULT 0;
