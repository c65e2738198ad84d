-- CreateIndex
CREATE INDEX "app_version_function_function_id_idx" ON "app_version_function"("function_id");

-- Written by hand: what has ended is deleted in that order, and what is open does not go in here.
CREATE INDEX "call_ended_at_idx" ON "call"("ended_at") WHERE "ended_at" IS NOT NULL;
