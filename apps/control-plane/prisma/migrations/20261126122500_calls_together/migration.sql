-- AlterTable
ALTER TABLE "call" ADD COLUMN     "message" TEXT;
