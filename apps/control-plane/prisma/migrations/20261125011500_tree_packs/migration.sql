-- A tree whose packs are not known is sent again: its files are there already.
DELETE FROM "tree";

-- AlterTable
ALTER TABLE "tree" ADD COLUMN     "packs" TEXT[];
