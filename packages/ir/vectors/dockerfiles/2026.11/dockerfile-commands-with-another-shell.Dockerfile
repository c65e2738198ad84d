# Layer 1: dockerfileCommands
FROM registry.example/python@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef AS lamina-1
ARG WHO=nobody
SHELL ["/usr/bin/python3", "-c"]
USER $WHO
RUN <<'LAMINA'
import os; open('/tmp/one', 'w').write(f'{os.getuid()} \'')
LAMINA
RUN <<'LAMINA'
import os
if os.getuid():
    open('/tmp/two', 'w').write(os.environ['WHO'])
LAMINA
RUN ["/usr/bin/touch","/tmp/three"]
SHELL ["/bin/sh", "-c"]
RUN --mount=type=secret,id=lamina-ca,target=/dev/lamina/ca.pem,mode=0444 \
    <<'LAMINA'
#!/bin/sh
lamina_1='#!/bin/bash
[[ $0 == *program ]] && id -un > /tmp/four'
lamina_begin() { echo "$1" >/dev/shm/lamina; eval "printf '[%s/1] %.2000s\n' $1 \"\$lamina_$1\""; }
lamina_check() { [ "$1" = 0 ] || exit "$1"; }
lamina_run() { printf '%s\n' "$1" >/dev/shm/lamina-program && /bin/bash /dev/shm/lamina-program; }
case $- in *e*) lamina_e=-e ;; *) lamina_e=+e ;; esac
exec 2>&1; set +e
unset LAMINA_NL TRACEPARENT OTEL_TRACES_EXPORTER OTEL_EXPORTER_OTLP_TRACES_ENDPOINT OTEL_EXPORTER_OTLP_TRACES_PROTOCOL
[ ! -s /dev/lamina/ca.pem ] || export SSL_CERT_FILE=/dev/lamina/ca.pem PIP_CERT=/dev/lamina/ca.pem REQUESTS_CA_BUNDLE=/dev/lamina/ca.pem CURL_CA_BUNDLE=/dev/lamina/ca.pem GIT_SSL_CAINFO=/dev/lamina/ca.pem NODE_EXTRA_CA_CERTS=/dev/lamina/ca.pem
( set $lamina_e
lamina_begin 1; lamina_run "$lamina_1"; lamina_check "$?"
)
lamina_s=$?; read -r lamina_i </dev/shm/lamina
[ "$lamina_s/$lamina_i" = 0/1 ] && exit 0
[ "$lamina_s" != 0 ] || { lamina_s=1; echo "lamina: the shell ended before command 1 of 1"; }
eval "printf 'lamina: command %s of 1: exit status %s: %.2000s\n' $lamina_i $lamina_s \"\$lamina_$lamina_i\""
exit $lamina_s
LAMINA
SHELL ["/usr/bin/python3","-c"]
SHELL ["/bin/sh", "-c"]
