# Layer 1: pipInstall
FROM registry.example/python@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef AS lamina-1
RUN --mount=type=bind,from=lamina-uv,source=uv,target=/dev/lamina/bin/uv \
    --mount=type=cache,id=lamina-uv-cache,target=/dev/lamina/uv-cache \
    --mount=type=tmpfs,target=/dev/lamina/tmp \
    --mount=type=secret,id=INDEX_HOST,env=INDEX_HOST,required=true \
    --mount=type=secret,id=package_token,env=package_token,required=true \
    --mount=type=secret,id=package_token,env=LAMINA_SECRET_2,required=true \
    --mount=type=secret,id=lamina-ca,target=/dev/lamina/ca.pem,mode=0444 \
    <<'LAMINA'
#!/bin/sh
lamina_1='uv pip install --system --break-system-packages --compile-bytecode --index-strategy unsafe-best-match --no-deps lamina-sample --trusted-host 127.0.0.1 -r /dev/stdin <<'\''REQUIREMENTS'\''
--index-url http://token:${LAMINA_SECRET_2}@${INDEX_HOST}/simple/
REQUIREMENTS'
lamina_begin() { echo "$1" >/dev/shm/lamina; eval "printf '[%s/1] %.2000s\n' $1 \"\$lamina_$1\""; }
lamina_check() { [ "$1" = 0 ] || exit "$1"; }
case $- in *e*) lamina_e=-e ;; *) lamina_e=+e ;; esac
exec 2>&1; set +e
unset LAMINA_NL TRACEPARENT OTEL_TRACES_EXPORTER OTEL_EXPORTER_OTLP_TRACES_ENDPOINT OTEL_EXPORTER_OTLP_TRACES_PROTOCOL
[ ! -s /dev/lamina/ca.pem ] || export SSL_CERT_FILE=/dev/lamina/ca.pem PIP_CERT=/dev/lamina/ca.pem REQUESTS_CA_BUNDLE=/dev/lamina/ca.pem CURL_CA_BUNDLE=/dev/lamina/ca.pem GIT_SSL_CAINFO=/dev/lamina/ca.pem NODE_EXTRA_CA_CERTS=/dev/lamina/ca.pem
lamina_nl='
'
lamina_since=$(date +%s)
lamina_pattern() {
lamina_p=
while [ -n "$lamina_v" ]; do
lamina_l=${lamina_v%%"$lamina_nl"*}
[ "${#lamina_l}" -le "${#lamina_p}" ] || lamina_p=$lamina_l
case $lamina_v in *"$lamina_nl"*) lamina_v=${lamina_v#*"$lamina_nl"} ;; *) lamina_v= ;; esac
done
}
lamina_search() {
lamina_bad=0
for lamina_n in find grep sed; do
command -v "$lamina_n" >/dev/null || { echo "lamina: this image has no $lamina_n, without which the step cannot be searched for its secrets"; return 1; }
done
for lamina_n in INDEX_HOST package_token; do
eval "lamina_v=\$$lamina_n"; lamina_pattern
[ "${#lamina_p}" -ge 8 ] || continue
(umask 077; printf '%s\n' "$lamina_p" >/dev/shm/lamina-value)
LC_ALL=C find / -xdev -type f -cmin "-$(( ($(date +%s) - lamina_since) / 60 + 2 ))" -exec grep -lF -f /dev/shm/lamina-value {} + >/dev/shm/lamina-found 2>/dev/null
while IFS= read -r lamina_f; do
case $lamina_f in *.git/*config) sed -i 's#^\([[:space:]]*\(push\)\{0,1\}url[[:space:]]*=.*://\)[^/@]*@#\1#' "$lamina_f" ;; esac
grep -qF -f /dev/shm/lamina-value "$lamina_f"
[ "$?" = 1 ] || { lamina_bad=1; echo "lamina: $lamina_f holds the value of the secret $lamina_n, which would stay in the layer: remove it in this step"; }
done </dev/shm/lamina-found
done
rm -f /dev/shm/lamina-value /dev/shm/lamina-found
return "$lamina_bad"
}
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
)
lamina_s=$?; read -r lamina_i </dev/shm/lamina
[ "$lamina_s/$lamina_i" = 0/1 ] && { lamina_search && exit 0; lamina_s=1; }
[ "$lamina_s" != 0 ] || { lamina_s=1; echo "lamina: the shell ended before command 1 of 1"; }
eval "printf 'lamina: command %s of 1: exit status %s: %.2000s\n' $lamina_i $lamina_s \"\$lamina_$lamina_i\""
exit $lamina_s
LAMINA
