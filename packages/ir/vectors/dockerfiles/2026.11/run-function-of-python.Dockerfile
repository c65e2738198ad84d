# Layer 1: runFunction
FROM registry.example/python@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef AS lamina-1
RUN --mount=type=secret,id=TOKEN,env=TOKEN,required=true \
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
for lamina_tool in find grep ls; do
  command -v $lamina_tool >/dev/null && continue
  echo "lamina: the image has no $lamina_tool, without which a step with secrets cannot be searched for their values: install it in an earlier step"
  exit 127
done
lamina_names='TOKEN'
lamina_new='-cnewer /dev/shm/lamina-start'
echo >/dev/shm/lamina-start; lamina_start=$(date +%s)
find / -maxdepth 0 $lamina_new >/dev/null 2>&1 || lamina_new=
lamina_tries=0
while echo >/dev/shm/lamina-tick; [ -z "$(find /dev/shm/lamina-tick $lamina_new)" ]; do
  lamina_tries=$((lamina_tries + 1)); [ $lamina_tries -lt 200 ] && continue
  echo 'lamina: the find of the image does not find what has changed, without which a step with secrets cannot be searched for their values'
  exit 127
done
lamina_finds=0
lamina_say() { lamina_finds=$((lamina_finds + 1)); [ $lamina_finds -gt 10 ] || printf 'lamina: %s\n' "$1"; }
lamina_report() {
  lamina_place=$2
  for lamina_other in $lamina_names; do
    IFS= read -r lamina_value </dev/shm/lamina-value-$lamina_other || continue
    case $lamina_place in *"$lamina_value"*) lamina_place="${lamina_place%%"$lamina_value"*}***" ;; esac
  done
  lamina_say "the value of $1 was found in $lamina_place: a layer must not keep it; remove it in the same call"
}
lamina_report_places() {
  while IFS= read -r lamina_line; do
    for lamina_name in $lamina_names; do
      IFS= read -r lamina_value </dev/shm/lamina-value-$lamina_name || continue
      case $lamina_line in *"$lamina_value"*) lamina_report $lamina_name "the $1 /${lamina_line#$2}" ;; esac
    done
  done
}
lamina_clean() {
  lamina_edits=$(grep -nF -f /dev/shm/lamina-values "$1" | sed 's|:.*|s#://[^/"[:space:]]*@#://#g|')
  sed "$lamina_edits" "$1" >/dev/shm/lamina-clean && cat /dev/shm/lamina-clean >"$1"
}
lamina_search() (
  LC_ALL=C; export LC_ALL; umask 077
  : >/dev/shm/lamina-values
  for lamina_name in $lamina_names; do
    eval "printf '%s\n' \"\$$lamina_name\"" >/dev/shm/lamina-value-$lamina_name
    lamina_value=
    while IFS= read -r lamina_line; do
      [ ${#lamina_line} -le ${#lamina_value} ] || lamina_value=$lamina_line
    done </dev/shm/lamina-value-$lamina_name
    [ ${#lamina_value} -ge 6 ] || { : >/dev/shm/lamina-value-$lamina_name; continue; }
    printf '%s\n' "$lamina_value" >/dev/shm/lamina-value-$lamina_name; printf '%s\n' "$lamina_value" >>/dev/shm/lamina-values
  done
  [ -n "$lamina_new" ] && [ -f /dev/shm/lamina-start ] || lamina_new="-cmin -$((($(date +%s) - lamina_start) / 60 + 2))"
  find / -maxdepth 0 $lamina_new >/dev/null 2>&1 || lamina_new=
  lamina_zero=-z; [ "$(printf 'x\0y\n' | grep -cF y)" = 0 ] || lamina_zero=
  [ -s /dev/shm/lamina-values ] || exit 0
  : >/dev/shm/lamina-files; : >/dev/shm/lamina-links
  find / /dev/shm/lamina-values -xdev $lamina_new -print -type f -exec sh -c 'grep -lF "$@" >>/dev/shm/lamina-files' sh $lamina_zero -f /dev/shm/lamina-values {} + \
    -o $lamina_new -type l -exec sh -c 'ls -ld "$@" | grep -F -f /dev/shm/lamina-values >>/dev/shm/lamina-links' sh {} + 2>/dev/null | grep -F -f /dev/shm/lamina-values >/dev/shm/lamina-names
  [ -s /dev/shm/lamina-files ] || lamina_say 'the find and grep of the image do not find the values of secrets: install those of GNU in an earlier step'
  while IFS= read -r lamina_file; do
    case $lamina_file in /dev/shm/lamina-values) continue ;; */config | */config.worktree) [ ! -f "${lamina_file%/*}/HEAD" ] || lamina_clean "$lamina_file" ;; esac
    for lamina_name in $lamina_names; do
      grep -qF $lamina_zero -f /dev/shm/lamina-value-$lamina_name "$lamina_file"
      case $? in 0) lamina_report $lamina_name "$lamina_file" ;; 1) ;; *) lamina_report 'a secret' "$lamina_file" ;; esac
    done
  done </dev/shm/lamina-files
  lamina_report_places name / </dev/shm/lamina-names
  lamina_report_places link '* /' </dev/shm/lamina-links
  case $(id -u)/$lamina_new in 0/* | */-cmin* | */) ;; *)
    find / -xdev $lamina_new ! -type l ! -readable >/dev/shm/lamina-names 2>/dev/null
    while IFS= read -r lamina_file; do
      lamina_say "$lamina_file was changed, and the user of the step may not read it to search it: change it in a step without secrets"
    done </dev/shm/lamina-names
  esac
  rm -f /dev/shm/lamina-value* /dev/shm/lamina-files /dev/shm/lamina-names /dev/shm/lamina-links /dev/shm/lamina-clean
  [ $lamina_finds -le 10 ] || echo "lamina: and $((lamina_finds - 10)) more"
  [ $lamina_finds = 0 ]
)
( set $lamina_e
lamina_begin 1
command -v python3 >/dev/null || { echo 'This image has no Python: start from Image.debianSlim(), or install python3 before runFunction.'; exit 127; }
cat >/dev/shm/lamina-function.py <<'LAMINA_FILE'
import os

async def fetch(name, *, size):
    with open("/tmp/fetched", "w") as file:
        file.write(f"{name} {size} {os.environ['TOKEN'][:1]}")

LAMINA_FILE
cat >/dev/shm/lamina-call <<'LAMINA_FILE'
import asyncio, importlib.util, inspect, json, sys
sys.dont_write_bytecode = True
spec = importlib.util.spec_from_file_location("lamina_function", "/dev/shm/lamina-function.py")
module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
call = json.loads("{\"args\":[\"gr\u00fc\u00dfe 'LAMINA_FILE'\\n\"],\"kwargs\":{\"size\":1.5}}")
result = getattr(module, "fetch")(*call["args"], **call["kwargs"])
if inspect.isgenerator(result) or inspect.isasyncgen(result):
    sys.exit("fetch is a generator, and nobody asks it for values.")
if inspect.isawaitable(result):
    async def wait(): await result
    asyncio.run(wait())
LAMINA_FILE
runFunction() { python3 /dev/shm/lamina-call; }
eval "$lamina_1"; lamina_check "$?"
)
lamina_s=$?; read -r lamina_i </dev/shm/lamina
[ "$lamina_s/$lamina_i" = 0/1 ] && { lamina_search; exit "$?"; }
[ "$lamina_s" != 0 ] || { lamina_s=1; echo "lamina: the shell ended before command 1 of 1"; }
eval "printf 'lamina: command %s of 1: exit status %s: %.2000s\n' $lamina_i $lamina_s \"\$lamina_$lamina_i\""
exit $lamina_s
LAMINA
