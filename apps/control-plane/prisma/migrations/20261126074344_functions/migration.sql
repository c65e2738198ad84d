-- CreateEnum
CREATE TYPE "app_state" AS ENUM ('active', 'stopped');

-- CreateEnum
CREATE TYPE "function_state" AS ENUM ('active', 'draining', 'stopped');

-- CreateEnum
CREATE TYPE "call_state" AS ENUM ('queued', 'running', 'done', 'failed', 'cancelled');

-- CreateTable
CREATE TABLE "app" (
    "id" TEXT NOT NULL,
    "workspace" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "found_by" TEXT NOT NULL,
    "ephemeral" BOOLEAN NOT NULL,
    "state" "app_state" NOT NULL DEFAULT 'active',
    "version" INTEGER NOT NULL DEFAULT 0,
    "heard_at" TIMESTAMPTZ(6) NOT NULL DEFAULT now(),
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT now(),
    "deployed_at" TIMESTAMPTZ(6) NOT NULL DEFAULT now(),

    CONSTRAINT "app_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "app_version" (
    "app_id" TEXT NOT NULL,
    "number" INTEGER NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT now(),

    CONSTRAINT "app_version_pkey" PRIMARY KEY ("app_id","number")
);

-- CreateTable
CREATE TABLE "app_version_function" (
    "app_id" TEXT NOT NULL,
    "number" INTEGER NOT NULL,
    "function_id" TEXT NOT NULL,

    CONSTRAINT "app_version_function_pkey" PRIMARY KEY ("app_id","number","function_id")
);

-- CreateTable
CREATE TABLE "function_version" (
    "id" TEXT NOT NULL,
    "workspace" TEXT NOT NULL,
    "app_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "hash" TEXT NOT NULL,
    "spec" JSONB NOT NULL,
    "max_retries" INTEGER NOT NULL,
    "host" TEXT,
    "repository" TEXT NOT NULL,
    "digest" TEXT NOT NULL,
    "code_manifest" TEXT NOT NULL,
    "pool" TEXT NOT NULL,
    "gpus" INTEGER NOT NULL,
    "state" "function_state" NOT NULL DEFAULT 'active',
    "sealed" BYTEA,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT now(),

    CONSTRAINT "function_version_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "call" (
    "id" TEXT NOT NULL,
    "workspace" TEXT NOT NULL,
    "function_id" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "method" TEXT,
    "state" "call_state" NOT NULL DEFAULT 'queued',
    "input" JSON,
    "retries" INTEGER NOT NULL DEFAULT 0,
    "failed_delivery" INTEGER NOT NULL DEFAULT 0,
    "result" JSON,
    "error" JSON,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT now(),
    "started_at" TIMESTAMPTZ(6),
    "ended_at" TIMESTAMPTZ(6),
    "look_at" TIMESTAMPTZ(6) NOT NULL DEFAULT now() + interval '5 seconds',
    "looks" INTEGER NOT NULL DEFAULT 0,

    CONSTRAINT "call_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "app_workspace_found_by_key" ON "app"("workspace", "found_by");

-- CreateIndex
CREATE INDEX "function_version_app_id_idx" ON "function_version"("app_id");

-- CreateIndex
CREATE INDEX "function_version_state_workspace_pool_idx" ON "function_version"("state", "workspace", "pool");

-- CreateIndex
CREATE INDEX "call_function_id_id_idx" ON "call"("function_id", "id");

-- AddForeignKey
ALTER TABLE "app_version" ADD CONSTRAINT "app_version_app_id_fkey" FOREIGN KEY ("app_id") REFERENCES "app"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "app_version_function" ADD CONSTRAINT "app_version_function_app_id_number_fkey" FOREIGN KEY ("app_id", "number") REFERENCES "app_version"("app_id", "number") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "app_version_function" ADD CONSTRAINT "app_version_function_function_id_fkey" FOREIGN KEY ("function_id") REFERENCES "function_version"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "function_version" ADD CONSTRAINT "function_version_app_id_fkey" FOREIGN KEY ("app_id") REFERENCES "app"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- Written by hand: the calls that have not ended are few among all.
CREATE INDEX "call_open_look_at_idx" ON "call"("look_at") WHERE "ended_at" IS NULL;
CREATE INDEX "call_open_function_id_idx" ON "call"("function_id") WHERE "ended_at" IS NULL;
