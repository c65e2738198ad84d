# Layer 1: copyLocalDir
FROM registry.example/shell@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef AS lamina-1
COPY --from=lamina-files-1 ["t/", "/app/it\\'s \\$here/"]
