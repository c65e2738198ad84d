# Layer 1: addPythonPackages
FROM registry.example/python@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef AS lamina-1
USER root
RUN --mount=type=bind,from=lamina-uv,source=uv,target=/dev/lamina/bin/uv \
    --mount=type=cache,id=lamina-uv-cache,target=/dev/lamina/uv-cache \
    --mount=type=tmpfs,target=/dev/lamina/tmp \
    --mount=type=bind,from=lamina-files-1,source=t,target=/dev/lamina/packages,rw \
    --mount=type=secret,id=lamina-ca,target=/dev/lamina/ca.pem,mode=0444 \
    <<'LAMINA'
#!/bin/sh
lamina_1='uv build --wheel --no-sources --out-dir /dev/lamina/tmp/wheels/2 '\''/dev/lamina/packages/2/my project'\'''
lamina_2='uv pip install --system --break-system-packages --compile-bytecode --index-strategy unsafe-best-match /dev/lamina/packages/1/lamina_sample-2.0-py3-none-any.whl /dev/lamina/tmp/wheels/2/*.whl'
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
lamina_module() {
  lamina_site=$(python3 -c 'import sysconfig; print(sysconfig.get_path("purelib"))') && lamina_place=$lamina_site/${1##*/} &&
  mkdir -p "$lamina_site" && rm -rf "$lamina_place" && cp -R "$1" "$lamina_place" && chmod -R u+rwX,go+rX,go-w "$lamina_place" &&
  python3 -m compileall -q --invalidation-mode checked-hash "$lamina_place"
}
eval "$lamina_1"; lamina_check "$?"
lamina_begin 2; eval "$lamina_2"; lamina_check "$?"
lamina_begin 3; eval "$lamina_3"; lamina_check "$?"
)
lamina_s=$?; read -r lamina_i </dev/shm/lamina
[ "$lamina_s/$lamina_i" = 0/3 ] && exit 0
[ "$lamina_s" != 0 ] || { lamina_s=1; echo "lamina: the shell ended before command 3 of 3"; }
eval "printf 'lamina: command %s of 3: exit status %s: %.2000s\n' $lamina_i $lamina_s \"\$lamina_$lamina_i\""
exit $lamina_s
LAMINA
USER "nobody"
