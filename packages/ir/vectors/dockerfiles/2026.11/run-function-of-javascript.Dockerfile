# Layer 1: runFunction
FROM registry.example/python@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef AS lamina-1
RUN --mount=type=bind,from=lamina-node,source=node,target=/dev/lamina/bin/node \
    --mount=type=secret,id=lamina-ca,target=/dev/lamina/ca.pem,mode=0444 \
    <<'LAMINA'
#!/bin/sh
lamina_1='runFunction fetch'
lamina_begin() { echo "$1" >/dev/shm/lamina; eval "printf '[%s/1] %.2000s\n' $1 \"\$lamina_$1\""; }
lamina_check() { [ "$1" = 0 ] || exit "$1"; }
case $- in *e*) lamina_e=-e ;; *) lamina_e=+e ;; esac
exec 2>&1; set +e
unset LAMINA_NL TRACEPARENT OTEL_TRACES_EXPORTER OTEL_EXPORTER_OTLP_TRACES_ENDPOINT OTEL_EXPORTER_OTLP_TRACES_PROTOCOL
[ ! -s /dev/lamina/ca.pem ] || export SSL_CERT_FILE=/dev/lamina/ca.pem PIP_CERT=/dev/lamina/ca.pem REQUESTS_CA_BUNDLE=/dev/lamina/ca.pem CURL_CA_BUNDLE=/dev/lamina/ca.pem GIT_SSL_CAINFO=/dev/lamina/ca.pem NODE_EXTRA_CA_CERTS=/dev/lamina/ca.pem
( set $lamina_e
lamina_begin 1
/dev/lamina/bin/node --version >/dev/null || { echo 'Node cannot run in this image: it needs the GNU C library and libstdc++.'; exit 127; }
cat >/dev/shm/lamina-function <<'LAMINA_FILE'
async function fetch(name) {
  const { writeFile } = await import("node:fs/promises");
  await writeFile("/opt/fetched", `${name} ${process.versions.node.split(".")[0]}`);
}
LAMINA_FILE
cat >/dev/shm/lamina-call <<'LAMINA_FILE'
const source = require("node:fs").readFileSync("/dev/shm/lamina-function", "utf8");
const run = require("node:vm").runInThisContext("(" + source + "\n)", {
  filename: "fetch", importModuleDynamically: require("node:vm").constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
});
const unended = () => { console.error("fetch never ended: it awaits what never comes."); process.exit(1); };
process.once("beforeExit", unended);
const call = async () => { await run(...[{"nested":["a",1]}]); };
const ours = (line) => /^ +at .*(node:|lamina-call)/.test(line);
call().catch((error) => {
  if (error instanceof Error) error.stack = String(error.stack).split("\n").filter((line) => !ours(line)).join("\n");
  console.error(error);
  process.exitCode = 1;
}).finally(() => process.off("beforeExit", unended));
LAMINA_FILE
runFunction() { /dev/lamina/bin/node --disable-warning=ExperimentalWarning /dev/shm/lamina-call; }
eval "$lamina_1"; lamina_check "$?"
)
lamina_s=$?; read -r lamina_i </dev/shm/lamina
[ "$lamina_s/$lamina_i" = 0/1 ] && exit 0
[ "$lamina_s" != 0 ] || { lamina_s=1; echo "lamina: the shell ended before command 1 of 1"; }
eval "printf 'lamina: command %s of 1: exit status %s: %.2000s\n' $lamina_i $lamina_s \"\$lamina_$lamina_i\""
exit $lamina_s
LAMINA
