-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "public";

-- CreateEnum
CREATE TYPE "build_state" AS ENUM ('running', 'done', 'failed', 'cancelled');

-- CreateEnum
CREATE TYPE "attempt_state" AS ENUM ('queued', 'running', 'done', 'failed', 'cancelled', 'expired');

-- CreateEnum
CREATE TYPE "run_state" AS ENUM ('queued', 'running', 'done', 'failed', 'cancelled');

-- CreateTable
CREATE TABLE "base" (
    "workspace" TEXT NOT NULL,
    "reference" TEXT NOT NULL,
    "platform" TEXT NOT NULL,
    "host" TEXT,
    "repository" TEXT NOT NULL,
    "digest" TEXT NOT NULL,
    "user" TEXT NOT NULL,
    "bytes" BIGINT NOT NULL,
    "resolved_at" TIMESTAMPTZ(6) NOT NULL DEFAULT now(),

    CONSTRAINT "base_pkey" PRIMARY KEY ("workspace","reference","platform")
);

-- CreateTable
CREATE TABLE "record" (
    "id" TEXT NOT NULL,
    "workspace" TEXT NOT NULL,
    "layer" TEXT NOT NULL,
    "parent" TEXT,
    "digest" TEXT NOT NULL,
    "bytes" BIGINT NOT NULL,
    "seconds" DOUBLE PRECISION,
    "builder" TEXT,
    "builder_version" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT now(),

    CONSTRAINT "record_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "build" (
    "id" TEXT NOT NULL,
    "workspace" TEXT NOT NULL,
    "name" TEXT,
    "state" "build_state" NOT NULL DEFAULT 'running',
    "image" TEXT NOT NULL,
    "layers" TEXT[],
    "pools" TEXT[],
    "definition" JSONB NOT NULL,
    "variable_sources" JSONB NOT NULL,
    "sources" JSONB NOT NULL,
    "forced_from" INTEGER,
    "base_host" TEXT,
    "base_repository" TEXT NOT NULL,
    "base_digest" TEXT NOT NULL,
    "base_user" TEXT NOT NULL,
    "base_bytes" BIGINT NOT NULL,
    "lost_attempts" INTEGER NOT NULL DEFAULT 0,
    "digest" TEXT,
    "ref" TEXT,
    "record" TEXT,
    "error" JSONB,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT now(),
    "ended_at" TIMESTAMPTZ(6),

    CONSTRAINT "build_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "build_secrets" (
    "build_id" TEXT NOT NULL,
    "sealed" BYTEA NOT NULL,

    CONSTRAINT "build_secrets_pkey" PRIMARY KEY ("build_id")
);

-- CreateTable
CREATE TABLE "build_event" (
    "build_id" TEXT NOT NULL,
    "number" INTEGER NOT NULL,
    "event" JSONB NOT NULL,

    CONSTRAINT "build_event_pkey" PRIMARY KEY ("build_id","number")
);

-- CreateTable
CREATE TABLE "attempt" (
    "id" TEXT NOT NULL,
    "workspace" TEXT NOT NULL,
    "pool" TEXT NOT NULL,
    "state" "attempt_state" NOT NULL DEFAULT 'queued',
    "token" SERIAL NOT NULL,
    "lease_until" TIMESTAMPTZ(6),
    "worker" TEXT,
    "definition" JSONB NOT NULL,
    "forced_from" INTEGER,
    "from_host" TEXT,
    "from_repository" TEXT NOT NULL,
    "from_digest" TEXT NOT NULL,
    "from_user" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT now(),
    "job_sent_at" TIMESTAMPTZ(6) NOT NULL DEFAULT now(),
    "job_sends" INTEGER NOT NULL DEFAULT 1,
    "ended_at" TIMESTAMPTZ(6),

    CONSTRAINT "attempt_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "attempt_layer" (
    "attempt_id" TEXT NOT NULL,
    "index" INTEGER NOT NULL,
    "layer" TEXT NOT NULL,
    "record" TEXT NOT NULL,
    "parent_record" TEXT,

    CONSTRAINT "attempt_layer_pkey" PRIMARY KEY ("attempt_id","index")
);

-- CreateTable
CREATE TABLE "build_attempt" (
    "build_id" TEXT NOT NULL,
    "attempt_id" TEXT NOT NULL,

    CONSTRAINT "build_attempt_pkey" PRIMARY KEY ("build_id","attempt_id")
);

-- CreateTable
CREATE TABLE "run" (
    "id" TEXT NOT NULL,
    "workspace" TEXT NOT NULL,
    "pool" TEXT NOT NULL,
    "state" "run_state" NOT NULL DEFAULT 'queued',
    "token" SERIAL NOT NULL,
    "lease_until" TIMESTAMPTZ(6),
    "worker" TEXT,
    "host" TEXT,
    "repository" TEXT NOT NULL,
    "digest" TEXT NOT NULL,
    "command" TEXT[],
    "exit_code" INTEGER,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT now(),
    "job_sent_at" TIMESTAMPTZ(6) NOT NULL DEFAULT now(),
    "job_sends" INTEGER NOT NULL DEFAULT 1,
    "ended_at" TIMESTAMPTZ(6),

    CONSTRAINT "run_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "outbox_message" (
    "id" BIGSERIAL NOT NULL,
    "kind" TEXT NOT NULL,
    "payload" JSONB NOT NULL,
    "due_at" TIMESTAMPTZ(6) NOT NULL DEFAULT now(),
    "tries" INTEGER NOT NULL DEFAULT 0,

    CONSTRAINT "outbox_message_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "event_chunk" (
    "feed" TEXT NOT NULL,
    "first" INTEGER NOT NULL,
    "last" INTEGER NOT NULL,
    "events" BYTEA NOT NULL,

    CONSTRAINT "event_chunk_pkey" PRIMARY KEY ("feed","first")
);

-- CreateTable
CREATE TABLE "secret" (
    "workspace" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "variables" TEXT[],
    "sealed" BYTEA NOT NULL,
    "updated_at" TIMESTAMPTZ(6) NOT NULL DEFAULT now(),

    CONSTRAINT "secret_pkey" PRIMARY KEY ("workspace","name")
);

-- CreateTable
CREATE TABLE "pack" (
    "workspace" TEXT NOT NULL,
    "digest" TEXT NOT NULL,
    "size" BIGINT NOT NULL,

    CONSTRAINT "pack_pkey" PRIMARY KEY ("workspace","digest")
);

-- CreateTable
CREATE TABLE "packed_file" (
    "workspace" TEXT NOT NULL,
    "digest" TEXT NOT NULL,
    "size" BIGINT NOT NULL,
    "pack" TEXT NOT NULL,

    CONSTRAINT "packed_file_pkey" PRIMARY KEY ("workspace","digest")
);

-- CreateTable
CREATE TABLE "tree" (
    "workspace" TEXT NOT NULL,
    "digest" TEXT NOT NULL,
    "manifest" TEXT NOT NULL,

    CONSTRAINT "tree_pkey" PRIMARY KEY ("workspace","digest")
);

-- CreateTable
CREATE TABLE "worker" (
    "workspace" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "pool" TEXT NOT NULL,
    "platform" TEXT NOT NULL,
    "version" TEXT NOT NULL,
    "heard_at" TIMESTAMPTZ(6) NOT NULL DEFAULT now(),

    CONSTRAINT "worker_pkey" PRIMARY KEY ("workspace","kind","name")
);

-- CreateIndex
CREATE INDEX "record_workspace_layer_id_idx" ON "record"("workspace", "layer", "id");

-- CreateIndex
CREATE INDEX "record_workspace_digest_idx" ON "record"("workspace", "digest");

-- CreateIndex
CREATE INDEX "build_workspace_created_at_idx" ON "build"("workspace", "created_at");

-- CreateIndex
CREATE INDEX "build_workspace_image_idx" ON "build"("workspace", "image");

-- CreateIndex
CREATE INDEX "build_workspace_digest_idx" ON "build"("workspace", "digest");

-- CreateIndex
CREATE INDEX "attempt_state_lease_until_idx" ON "attempt"("state", "lease_until");

-- CreateIndex
CREATE UNIQUE INDEX "attempt_layer_record_key" ON "attempt_layer"("record");

-- CreateIndex
CREATE INDEX "attempt_layer_layer_idx" ON "attempt_layer"("layer");

-- CreateIndex
CREATE INDEX "build_attempt_attempt_id_idx" ON "build_attempt"("attempt_id");

-- CreateIndex
CREATE INDEX "run_state_lease_until_idx" ON "run"("state", "lease_until");

-- CreateIndex
CREATE INDEX "outbox_message_kind_due_at_idx" ON "outbox_message"("kind", "due_at");

-- CreateIndex
CREATE INDEX "packed_file_workspace_pack_idx" ON "packed_file"("workspace", "pack");

-- AddForeignKey
ALTER TABLE "build_secrets" ADD CONSTRAINT "build_secrets_build_id_fkey" FOREIGN KEY ("build_id") REFERENCES "build"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "build_event" ADD CONSTRAINT "build_event_build_id_fkey" FOREIGN KEY ("build_id") REFERENCES "build"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "attempt_layer" ADD CONSTRAINT "attempt_layer_attempt_id_fkey" FOREIGN KEY ("attempt_id") REFERENCES "attempt"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "build_attempt" ADD CONSTRAINT "build_attempt_build_id_fkey" FOREIGN KEY ("build_id") REFERENCES "build"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "build_attempt" ADD CONSTRAINT "build_attempt_attempt_id_fkey" FOREIGN KEY ("attempt_id") REFERENCES "attempt"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "packed_file" ADD CONSTRAINT "packed_file_workspace_pack_fkey" FOREIGN KEY ("workspace", "pack") REFERENCES "pack"("workspace", "digest") ON DELETE CASCADE ON UPDATE CASCADE;
