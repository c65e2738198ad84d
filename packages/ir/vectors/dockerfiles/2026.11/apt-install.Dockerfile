# Layer 1: aptInstall
FROM registry.example/python@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef AS lamina-1
USER root
RUN --mount=type=cache,id=lamina-apt-cache,target=/dev/lamina/apt-cache,sharing=locked \
    --mount=type=cache,id=lamina-apt-lists,target=/dev/lamina/apt-lists,sharing=locked \
    --mount=type=secret,id=lamina-ca,target=/dev/lamina/ca.pem,mode=0444 \
    <<'LAMINA'
#!/bin/sh
lamina_1='apt-get update'
lamina_2='apt-get install --yes --no-install-recommends hello --no-upgrade'
lamina_begin() { echo "$1" >/dev/shm/lamina; eval "printf '[%s/2] %.2000s\n' $1 \"\$lamina_$1\""; }
lamina_check() { [ "$1" = 0 ] || exit "$1"; }
case $- in *e*) lamina_e=-e ;; *) lamina_e=+e ;; esac
exec 2>&1; set +e
unset LAMINA_NL TRACEPARENT OTEL_TRACES_EXPORTER OTEL_EXPORTER_OTLP_TRACES_ENDPOINT OTEL_EXPORTER_OTLP_TRACES_PROTOCOL
[ ! -s /dev/lamina/ca.pem ] || export SSL_CERT_FILE=/dev/lamina/ca.pem PIP_CERT=/dev/lamina/ca.pem REQUESTS_CA_BUNDLE=/dev/lamina/ca.pem CURL_CA_BUNDLE=/dev/lamina/ca.pem GIT_SSL_CAINFO=/dev/lamina/ca.pem NODE_EXTRA_CA_CERTS=/dev/lamina/ca.pem
( set $lamina_e
lamina_begin 1
command -v apt-get >/dev/null || { echo 'This image has no apt-get: aptInstall needs Debian or one of its kin as the base.'; exit 127; }
export DEBIAN_FRONTEND=noninteractive
export APT_CONFIG=/dev/shm/lamina-apt.conf
echo 'Dir::Cache "/dev/lamina/apt-cache"; Dir::State::Lists "/dev/lamina/apt-lists"; APT::Keep-Downloaded-Packages "true";' >"$APT_CONFIG"
[ ! -s /dev/lamina/ca.pem ] || echo 'Acquire::https::CAInfo "/dev/lamina/ca.pem";' >>"$APT_CONFIG"
eval "$lamina_1"; lamina_check "$?"
lamina_begin 2; eval "$lamina_2"; lamina_check "$?"
)
lamina_s=$?; read -r lamina_i </dev/shm/lamina
[ "$lamina_s/$lamina_i" = 0/2 ] && exit 0
[ "$lamina_s" != 0 ] || { lamina_s=1; echo "lamina: the shell ended before command 2 of 2"; }
eval "printf 'lamina: command %s of 2: exit status %s: %.2000s\n' $lamina_i $lamina_s \"\$lamina_$lamina_i\""
exit $lamina_s
LAMINA
USER "nobody"

# Layer 2: aptInstall
FROM lamina-1 AS lamina-2
USER root
RUN --mount=type=cache,id=lamina-apt-cache,target=/dev/lamina/apt-cache,sharing=locked \
    --mount=type=cache,id=lamina-apt-lists,target=/dev/lamina/apt-lists,sharing=locked \
    --mount=type=secret,id=lamina-ca,target=/dev/lamina/ca.pem,mode=0444 \
    <<'LAMINA'
#!/bin/sh
lamina_1='apt-get remove --yes --purge hello'
lamina_begin() { echo "$1" >/dev/shm/lamina; eval "printf '[%s/1] %.2000s\n' $1 \"\$lamina_$1\""; }
lamina_check() { [ "$1" = 0 ] || exit "$1"; }
case $- in *e*) lamina_e=-e ;; *) lamina_e=+e ;; esac
exec 2>&1; set +e
unset LAMINA_NL TRACEPARENT OTEL_TRACES_EXPORTER OTEL_EXPORTER_OTLP_TRACES_ENDPOINT OTEL_EXPORTER_OTLP_TRACES_PROTOCOL
[ ! -s /dev/lamina/ca.pem ] || export SSL_CERT_FILE=/dev/lamina/ca.pem PIP_CERT=/dev/lamina/ca.pem REQUESTS_CA_BUNDLE=/dev/lamina/ca.pem CURL_CA_BUNDLE=/dev/lamina/ca.pem GIT_SSL_CAINFO=/dev/lamina/ca.pem NODE_EXTRA_CA_CERTS=/dev/lamina/ca.pem
( set $lamina_e
lamina_begin 1
command -v apt-get >/dev/null || { echo 'This image has no apt-get: aptInstall needs Debian or one of its kin as the base.'; exit 127; }
export DEBIAN_FRONTEND=noninteractive
export APT_CONFIG=/dev/shm/lamina-apt.conf
echo 'Dir::Cache "/dev/lamina/apt-cache"; Dir::State::Lists "/dev/lamina/apt-lists"; APT::Keep-Downloaded-Packages "true";' >"$APT_CONFIG"
[ ! -s /dev/lamina/ca.pem ] || echo 'Acquire::https::CAInfo "/dev/lamina/ca.pem";' >>"$APT_CONFIG"
eval "$lamina_1"; lamina_check "$?"
)
lamina_s=$?; read -r lamina_i </dev/shm/lamina
[ "$lamina_s/$lamina_i" = 0/1 ] && exit 0
[ "$lamina_s" != 0 ] || { lamina_s=1; echo "lamina: the shell ended before command 1 of 1"; }
eval "printf 'lamina: command %s of 1: exit status %s: %.2000s\n' $lamina_i $lamina_s \"\$lamina_$lamina_i\""
exit $lamina_s
LAMINA
USER "nobody"

# Layer 3: aptInstall
FROM lamina-2 AS lamina-3
USER root
RUN --mount=type=cache,id=lamina-apt-cache,target=/dev/lamina/apt-cache,sharing=locked \
    --mount=type=cache,id=lamina-apt-lists,target=/dev/lamina/apt-lists,sharing=locked \
    --mount=type=secret,id=lamina-ca,target=/dev/lamina/ca.pem,mode=0444 \
    <<'LAMINA'
#!/bin/sh
lamina_1='apt-get update'
lamina_2='apt-get install --yes --no-install-recommends tree'
lamina_begin() { echo "$1" >/dev/shm/lamina; eval "printf '[%s/2] %.2000s\n' $1 \"\$lamina_$1\""; }
lamina_check() { [ "$1" = 0 ] || exit "$1"; }
case $- in *e*) lamina_e=-e ;; *) lamina_e=+e ;; esac
exec 2>&1; set +e
unset LAMINA_NL TRACEPARENT OTEL_TRACES_EXPORTER OTEL_EXPORTER_OTLP_TRACES_ENDPOINT OTEL_EXPORTER_OTLP_TRACES_PROTOCOL
[ ! -s /dev/lamina/ca.pem ] || export SSL_CERT_FILE=/dev/lamina/ca.pem PIP_CERT=/dev/lamina/ca.pem REQUESTS_CA_BUNDLE=/dev/lamina/ca.pem CURL_CA_BUNDLE=/dev/lamina/ca.pem GIT_SSL_CAINFO=/dev/lamina/ca.pem NODE_EXTRA_CA_CERTS=/dev/lamina/ca.pem
( set $lamina_e
lamina_begin 1
command -v apt-get >/dev/null || { echo 'This image has no apt-get: aptInstall needs Debian or one of its kin as the base.'; exit 127; }
export DEBIAN_FRONTEND=noninteractive
export APT_CONFIG=/dev/shm/lamina-apt.conf
echo 'Dir::Cache "/dev/lamina/apt-cache"; Dir::State::Lists "/dev/lamina/apt-lists"; APT::Keep-Downloaded-Packages "true";' >"$APT_CONFIG"
[ ! -s /dev/lamina/ca.pem ] || echo 'Acquire::https::CAInfo "/dev/lamina/ca.pem";' >>"$APT_CONFIG"
eval "$lamina_1"; lamina_check "$?"
lamina_begin 2; eval "$lamina_2"; lamina_check "$?"
)
lamina_s=$?; read -r lamina_i </dev/shm/lamina
[ "$lamina_s/$lamina_i" = 0/2 ] && exit 0
[ "$lamina_s" != 0 ] || { lamina_s=1; echo "lamina: the shell ended before command 2 of 2"; }
eval "printf 'lamina: command %s of 2: exit status %s: %.2000s\n' $lamina_i $lamina_s \"\$lamina_$lamina_i\""
exit $lamina_s
LAMINA
USER "nobody"
