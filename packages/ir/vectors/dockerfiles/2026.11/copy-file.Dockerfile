# Layer 1: workdir
FROM registry.example/shell@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef AS lamina-1
WORKDIR "/app"

# Layer 2: copyLocalFile
FROM lamina-1 AS lamina-2
COPY --from=lamina-files-2 ["f/*", "/app/.env"]

# Layer 3: copyLocalFile
FROM lamina-2 AS lamina-3
COPY --from=lamina-files-3 ["f/*", "conf/"]

# Layer 4: copyLocalFile
FROM lamina-3 AS lamina-4
COPY --from=lamina-files-4 ["f/*", "local.env"]
