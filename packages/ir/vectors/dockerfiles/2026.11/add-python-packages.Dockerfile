# Layer 1: addPythonPackages
FROM registry.example/python@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef AS lamina-1
USER root
RUN --mount=type=bind,from=lamina-uv,source=uv,target=/dev/lamina/bin/uv \
    --mount=type=cache,id=lamina-uv-cache,target=/dev/lamina/uv-cache \
    --mount=type=cache,id=lamina-byte-code,target=/dev/lamina/byte-code \
    --mount=type=tmpfs,target=/dev/lamina/tmp \
    --mount=type=bind,from=lamina-files-1,source=t,target=/dev/lamina/packages,rw \
    --mount=type=secret,id=lamina-ca,target=/dev/lamina/ca.pem,mode=0444 \
    <<'LAMINA'
#!/bin/sh
lamina_1='uv build --wheel --no-sources --out-dir /dev/lamina/tmp/wheels/2 '\''/dev/lamina/packages/2/my project'\'''
lamina_2='uv pip install --system --break-system-packages --index-strategy unsafe-best-match /dev/lamina/packages/1/lamina_sample-2.0-py3-none-any.whl /dev/lamina/tmp/wheels/2/*.whl'
lamina_3='lamina_module /dev/lamina/packages/3/my_module'
lamina_begin() { echo "$1" >/dev/shm/lamina; eval "printf '[%s/3] %.2000s\n' $1 \"\$lamina_$1\""; }
lamina_check() { [ "$1" = 0 ] || exit "$1"; }
case $- in *e*) lamina_e=-e ;; *) lamina_e=+e ;; esac
exec 2>&1; set +e
unset LAMINA_NL TRACEPARENT OTEL_TRACES_EXPORTER OTEL_EXPORTER_OTLP_TRACES_ENDPOINT OTEL_EXPORTER_OTLP_TRACES_PROTOCOL
[ ! -s /dev/lamina/ca.pem ] || export SSL_CERT_FILE=/dev/lamina/ca.pem PIP_CERT=/dev/lamina/ca.pem REQUESTS_CA_BUNDLE=/dev/lamina/ca.pem CURL_CA_BUNDLE=/dev/lamina/ca.pem GIT_SSL_CAINFO=/dev/lamina/ca.pem NODE_EXTRA_CA_CERTS=/dev/lamina/ca.pem
( set $lamina_e
lamina_begin 1
command -v python3 >/dev/null || { echo 'This image has no Python: start from Image.debianSlim(), or install python3 before addPythonPackages.'; exit 127; }
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
export UV_INDEX_STRATEGY=unsafe-best-match
export SOURCE_DATE_EPOCH=315532800
touch /dev/lamina/packages/1/lamina_sample-2.0-py3-none-any.whl
lamina_module() {
  lamina_site=$(python3 -c 'import sysconfig; print(sysconfig.get_path("purelib"))') && lamina_place=$lamina_site/${1##*/} &&
  mkdir -p "$lamina_site" && rm -rf "$lamina_place" && cp -R "$1" "$lamina_place" && chmod -R u+rwX,go+rX,go-w "$lamina_place"
}
eval "$lamina_1"; lamina_check "$?"
lamina_begin 2; eval "$lamina_2"; lamina_check "$?"
lamina_begin 3; eval "$lamina_3"; lamina_check "$?"
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
[ "$lamina_s/$lamina_i" = 0/3 ] && exit 0
[ "$lamina_s" != 0 ] || { lamina_s=1; echo "lamina: the shell ended before command 3 of 3"; }
eval "printf 'lamina: command %s of 3: exit status %s: %.2000s\n' $lamina_i $lamina_s \"\$lamina_$lamina_i\""
exit $lamina_s
LAMINA
USER "nobody"
