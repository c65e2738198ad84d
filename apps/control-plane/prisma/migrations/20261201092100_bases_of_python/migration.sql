-- Written by hand.
-- What debianSlim means was kept under the name of an image, and stays what it is under its own. What the platform has made is no such image.
INSERT INTO "base" ("workspace", "reference", "platform", "access", "host", "repository", "digest", "user", "bytes", "resolved_at")
SELECT "workspace", 'debianSlim ' || substring("reference" FROM '[0-9.]+'), "platform", "access", "host", "repository", "digest", "user", "bytes", "resolved_at"
FROM "base" WHERE "reference" ~ '^python:[0-9.]+-slim$' AND "access" = ''
ON CONFLICT DO NOTHING;
DELETE FROM "base" WHERE "reference" ~ '^python:[0-9.]+-slim$' AND "host" IS NULL;
