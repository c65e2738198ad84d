# Layer 1: pipInstall
FROM registry.example/python@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef AS lamina-1
RUN --mount=type=bind,from=lamina-uv,source=uv,target=/dev/lamina/bin/uv \
    --mount=type=tmpfs,target=/dev/lamina/uv-cache \
    --mount=type=tmpfs,target=/dev/lamina/byte-code \
    --mount=type=tmpfs,target=/dev/lamina/tmp \
    --mount=type=secret,id=INDEX_HOST,env=INDEX_HOST,required=true \
    --mount=type=secret,id=package_token,env=package_token,required=true \
    --mount=type=secret,id=package_token,env=LAMINA_SECRET_2,required=true \
    --mount=type=secret,id=lamina-ca,target=/dev/lamina/ca.pem,mode=0444 \
    <<'LAMINA'
#!/bin/sh
lamina_1='uv pip install --system --break-system-packages --index-strategy unsafe-best-match --no-deps lamina-sample --trusted-host 127.0.0.1 -r /dev/stdin <<'\''REQUIREMENTS'\''
--index-url http://token:${LAMINA_SECRET_2}@${INDEX_HOST}/simple/
REQUIREMENTS'
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
lamina_names='INDEX_HOST package_token'
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
command -v python3 >/dev/null || { echo 'This image has no Python: start from Image.debianSlim(), or install python3 before pipInstall.'; exit 127; }
export UV_PYTHON=$(command -v python3)
eval "$(python3 -I -c '
import configparser, os, shlex, sys
files = ["/etc/xdg/pip/pip.conf", "/etc/pip.conf", "~/.pip/pip.conf", "~/.config/pip/pip.conf", sys.prefix + "/pip.conf", os.environ.get("PIP_CONFIG_FILE", "")]
settings = configparser.RawConfigParser()
settings.read(os.path.expanduser(file) for file in files)
for name, joint in ("INDEX_URL", " "), ("EXTRA_INDEX_URL", " "), ("FIND_LINKS", ","), ("TRUSTED_HOST", " "):
    key = name.lower().replace("_", "-")
    value = os.environ.get("PIP_" + name) or settings.get("install", key, fallback="") or settings.get("global", key, fallback="")
    variable = "UV_" + name.replace("TRUSTED", "INSECURE")
    if value: print("export %s=%s" % (variable, shlex.quote(joint.join(value.split()))))
')"
export PATH="/dev/lamina/bin:$PATH" TMPDIR=/dev/lamina/tmp
export UV_CACHE_DIR=/dev/lamina/uv-cache UV_LINK_MODE=copy UV_NO_CONFIG=1 UV_NO_PROGRESS=1 UV_PYTHON_DOWNLOADS=never PYC_INVALIDATION_MODE=CHECKED_HASH
eval "$lamina_1"; lamina_check "$?"
"$UV_PYTHON" -I -W ignore -c '
import hashlib, importlib.util, os, py_compile, sys, sysconfig
cache = "/dev/lamina/byte-code"
def sources():
    for directory in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}:
        for parent, _, names in os.walk(directory):
            for name in names:
                path = os.path.join(parent, name)
                if name.endswith(".py") and os.path.isfile(path): yield path
def read(path):
    with open(path, "rb") as file: return file.read()
def write(path, content):
    temporary = "%s.%d" % (path, os.getpid())
    try: file = open(temporary, "wb")
    except FileNotFoundError:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        file = open(temporary, "wb")
    with file: file.write(content)
    os.replace(temporary, path)
def provide(source):
    code, content = importlib.util.cache_from_source(source), read(source)
    header = importlib.util.MAGIC_NUMBER + bytes([3, 0, 0, 0]) + importlib.util.source_hash(content)
    if os.path.exists(code) and read(code).startswith(header): return
    key = hashlib.sha256(header + os.fsencode(source) + bytes(1) + content).hexdigest()
    kept = os.path.join(cache, key[:2], key[2:])
    if os.path.exists(kept): return write(code, read(kept))
    py_compile.compile(source, cfile=code, doraise=True, invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH)
    write(kept, read(code))
def work(paths):
    for path in paths:
        try: provide(path)
        except (ValueError, RecursionError, py_compile.PyCompileError): pass
paths = sorted(sources())
count = max(1, min(len(os.sched_getaffinity(0)), len(paths) // 50))
children = []
for number in range(1, count):
    child = os.fork()
    if child == 0:
        try: work(paths[number::count])
        except BaseException: sys.excepthook(*sys.exc_info()), os._exit(1)
        os._exit(0)
    children.append(child)
work(paths[::count])
if any([os.waitpid(child, 0)[1] for child in children]): sys.exit(1)
'
)
lamina_s=$?; read -r lamina_i </dev/shm/lamina
[ "$lamina_s/$lamina_i" = 0/1 ] && { lamina_search; exit "$?"; }
[ "$lamina_s" != 0 ] || { lamina_s=1; echo "lamina: the shell ended before command 1 of 1"; }
eval "printf 'lamina: command %s of 1: exit status %s: %.2000s\n' $lamina_i $lamina_s \"\$lamina_$lamina_i\""
exit $lamina_s
LAMINA
