-- Lines that users' commands write may hold NUL, which jsonb refuses.
-- AlterTable
ALTER TABLE "build" ALTER COLUMN "error" SET DATA TYPE JSON;

-- AlterTable
ALTER TABLE "build_event" ALTER COLUMN "event" SET DATA TYPE JSON;

-- AlterTable
ALTER TABLE "outbox_message" ALTER COLUMN "payload" SET DATA TYPE JSON;
