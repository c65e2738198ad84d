# Layer 1: dockerfileCommands
FROM registry.example/shell@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef AS lamina-1
RUN --mount=type=secret,id=lamina-ca,target=/dev/lamina/ca.pem,mode=0444 \
    <<'LAMINA'
lamina_1='mkdir -p /made   && echo '\''a  b'\'' > /made/joined'
lamina_begin() { echo "$1" >/dev/shm/lamina; eval "printf '[%s/1] %.2000s\n' $1 \"\$lamina_$1\""; }
lamina_check() { [ "$1" = 0 ] || exit "$1"; }
case $- in *e*) lamina_e=-e ;; *) lamina_e=+e ;; esac
exec 2>&1; set +e
unset LAMINA_NL TRACEPARENT OTEL_TRACES_EXPORTER OTEL_EXPORTER_OTLP_TRACES_ENDPOINT OTEL_EXPORTER_OTLP_TRACES_PROTOCOL
[ ! -s /dev/lamina/ca.pem ] || export SSL_CERT_FILE=/dev/lamina/ca.pem PIP_CERT=/dev/lamina/ca.pem REQUESTS_CA_BUNDLE=/dev/lamina/ca.pem CURL_CA_BUNDLE=/dev/lamina/ca.pem GIT_SSL_CAINFO=/dev/lamina/ca.pem NODE_EXTRA_CA_CERTS=/dev/lamina/ca.pem
( set $lamina_e
lamina_begin 1; eval "$lamina_1"; lamina_check "$?"
)
lamina_s=$?; read -r lamina_i </dev/shm/lamina
[ "$lamina_s/$lamina_i" = 0/1 ] && exit 0
[ "$lamina_s" != 0 ] || { lamina_s=1; echo "lamina: the shell ended before command 1 of 1"; }
eval "printf 'lamina: command %s of 1: exit status %s: %.2000s\n' $lamina_i $lamina_s \"\$lamina_$lamina_i\""
exit $lamina_s
LAMINA
ARG FLAVOUR='dark chocolate'
ARG EMPTY
ENV TASTE="$FLAVOUR"     OTHER=x\\
LABEL flavour=$FLAVOUR
WORKDIR /srv/app
COPY --from=lamina-files-1 --chmod=0750 --chown=65534:65534 t/src/*.py t/run.sh ./code/
COPY --from=lamina-files-1 ["t/src/deep/data","it\\'s $TASTE/"]
COPY --from=lamina-files-1 t/. /all/
COPY --from=lamina-files-1 --parents --exclude=**/*.md t/./src /parents/
COPY --from=lamina-files-1 --parents t/src/./deep /parents/
COPY --from=lamina-files-1 t/current/main.py /linked.py
COPY --from=lamina-files-1 <<-PLAIN <<'QUOTED' t/run.sh /docs/
	tastes of $FLAVOUR
PLAIN
FROM nowhere \
# syntax=$FLAVOUR
QUOTED
RUN --mount=type=secret,id=lamina-ca,target=/dev/lamina/ca.pem,mode=0444 \
    <<'LAMINA'
lamina_1='cd /made
  echo "$FLAVOUR $0" > heredoc'
lamina_begin() { echo "$1" >/dev/shm/lamina; eval "printf '[%s/1] %.2000s\n' $1 \"\$lamina_$1\""; }
lamina_check() { [ "$1" = 0 ] || exit "$1"; }
case $- in *e*) lamina_e=-e ;; *) lamina_e=+e ;; esac
exec 2>&1; set +e
unset LAMINA_NL TRACEPARENT OTEL_TRACES_EXPORTER OTEL_EXPORTER_OTLP_TRACES_ENDPOINT OTEL_EXPORTER_OTLP_TRACES_PROTOCOL
[ ! -s /dev/lamina/ca.pem ] || export SSL_CERT_FILE=/dev/lamina/ca.pem PIP_CERT=/dev/lamina/ca.pem REQUESTS_CA_BUNDLE=/dev/lamina/ca.pem CURL_CA_BUNDLE=/dev/lamina/ca.pem GIT_SSL_CAINFO=/dev/lamina/ca.pem NODE_EXTRA_CA_CERTS=/dev/lamina/ca.pem
( set $lamina_e
lamina_begin 1; eval "$lamina_1"; lamina_check "$?"
)
lamina_s=$?; read -r lamina_i </dev/shm/lamina
[ "$lamina_s/$lamina_i" = 0/1 ] && exit 0
[ "$lamina_s" != 0 ] || { lamina_s=1; echo "lamina: the shell ended before command 1 of 1"; }
eval "printf 'lamina: command %s of 1: exit status %s: %.2000s\n' $lamina_i $lamina_s \"\$lamina_$lamina_i\""
exit $lamina_s
LAMINA
RUN --mount=type=secret,id=lamina-ca,target=/dev/lamina/ca.pem,mode=0444 \
    <<'LAMINA'
lamina_1='{ cat; cat <&3; } <<A 3<<-B > /made/two
first $FLAVOUR
A
	second
B'
lamina_begin() { echo "$1" >/dev/shm/lamina; eval "printf '[%s/1] %.2000s\n' $1 \"\$lamina_$1\""; }
lamina_check() { [ "$1" = 0 ] || exit "$1"; }
case $- in *e*) lamina_e=-e ;; *) lamina_e=+e ;; esac
exec 2>&1; set +e
unset LAMINA_NL TRACEPARENT OTEL_TRACES_EXPORTER OTEL_EXPORTER_OTLP_TRACES_ENDPOINT OTEL_EXPORTER_OTLP_TRACES_PROTOCOL
[ ! -s /dev/lamina/ca.pem ] || export SSL_CERT_FILE=/dev/lamina/ca.pem PIP_CERT=/dev/lamina/ca.pem REQUESTS_CA_BUNDLE=/dev/lamina/ca.pem CURL_CA_BUNDLE=/dev/lamina/ca.pem GIT_SSL_CAINFO=/dev/lamina/ca.pem NODE_EXTRA_CA_CERTS=/dev/lamina/ca.pem
( set $lamina_e
lamina_begin 1; eval "$lamina_1"; lamina_check "$?"
)
lamina_s=$?; read -r lamina_i </dev/shm/lamina
[ "$lamina_s/$lamina_i" = 0/1 ] && exit 0
[ "$lamina_s" != 0 ] || { lamina_s=1; echo "lamina: the shell ended before command 1 of 1"; }
eval "printf 'lamina: command %s of 1: exit status %s: %.2000s\n' $lamina_i $lamina_s \"\$lamina_$lamina_i\""
exit $lamina_s
LAMINA
RUN --mount=type=secret,id=lamina-ca,target=/dev/lamina/ca.pem,mode=0444 \
    <<'LAMINA'
#!/bin/sh
lamina_1='#!/bin/cat
# itself, it'\''s "so"'
lamina_begin() { echo "$1" >/dev/shm/lamina; eval "printf '[%s/1] %.2000s\n' $1 \"\$lamina_$1\""; }
lamina_check() { [ "$1" = 0 ] || exit "$1"; }
lamina_run() { printf '%s\n' "$1" >/dev/shm/lamina-program && /bin/cat /dev/shm/lamina-program; }
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
RUN ["/bin/touch","/made/list $HOME"]
RUN --mount=type=bind,from=lamina-files-1,source=t/src,target=/mnt,readwrite \
    --mount=type=bind,from=lamina-files-1,source=t/,target=/ctx \
    --mount=type=tmpfs,target=/t \
    --mount=type=secret,id=lamina-ca,target=/dev/lamina/ca.pem,mode=0444 \
    <<'LAMINA'
lamina_1='touch /mnt/gone && cp /ctx/run.sh /mnt/notes.md /made'
lamina_begin() { echo "$1" >/dev/shm/lamina; eval "printf '[%s/1] %.2000s\n' $1 \"\$lamina_$1\""; }
lamina_check() { [ "$1" = 0 ] || exit "$1"; }
case $- in *e*) lamina_e=-e ;; *) lamina_e=+e ;; esac
exec 2>&1; set +e
unset LAMINA_NL TRACEPARENT OTEL_TRACES_EXPORTER OTEL_EXPORTER_OTLP_TRACES_ENDPOINT OTEL_EXPORTER_OTLP_TRACES_PROTOCOL
[ ! -s /dev/lamina/ca.pem ] || export SSL_CERT_FILE=/dev/lamina/ca.pem PIP_CERT=/dev/lamina/ca.pem REQUESTS_CA_BUNDLE=/dev/lamina/ca.pem CURL_CA_BUNDLE=/dev/lamina/ca.pem GIT_SSL_CAINFO=/dev/lamina/ca.pem NODE_EXTRA_CA_CERTS=/dev/lamina/ca.pem
( set $lamina_e
lamina_begin 1; eval "$lamina_1"; lamina_check "$?"
)
lamina_s=$?; read -r lamina_i </dev/shm/lamina
[ "$lamina_s/$lamina_i" = 0/1 ] && exit 0
[ "$lamina_s" != 0 ] || { lamina_s=1; echo "lamina: the shell ended before command 1 of 1"; }
eval "printf 'lamina: command %s of 1: exit status %s: %.2000s\n' $lamina_i $lamina_s \"\$lamina_$lamina_i\""
exit $lamina_s
LAMINA
VOLUME /data
RUN --mount=type=secret,id=lamina-ca,target=/dev/lamina/ca.pem,mode=0444 \
    <<'LAMINA'
lamina_1='mkdir -p /data && echo kept > /data/file'
lamina_begin() { echo "$1" >/dev/shm/lamina; eval "printf '[%s/1] %.2000s\n' $1 \"\$lamina_$1\""; }
lamina_check() { [ "$1" = 0 ] || exit "$1"; }
case $- in *e*) lamina_e=-e ;; *) lamina_e=+e ;; esac
exec 2>&1; set +e
unset LAMINA_NL TRACEPARENT OTEL_TRACES_EXPORTER OTEL_EXPORTER_OTLP_TRACES_ENDPOINT OTEL_EXPORTER_OTLP_TRACES_PROTOCOL
[ ! -s /dev/lamina/ca.pem ] || export SSL_CERT_FILE=/dev/lamina/ca.pem PIP_CERT=/dev/lamina/ca.pem REQUESTS_CA_BUNDLE=/dev/lamina/ca.pem CURL_CA_BUNDLE=/dev/lamina/ca.pem GIT_SSL_CAINFO=/dev/lamina/ca.pem NODE_EXTRA_CA_CERTS=/dev/lamina/ca.pem
( set $lamina_e
lamina_begin 1; eval "$lamina_1"; lamina_check "$?"
)
lamina_s=$?; read -r lamina_i </dev/shm/lamina
[ "$lamina_s/$lamina_i" = 0/1 ] && exit 0
[ "$lamina_s" != 0 ] || { lamina_s=1; echo "lamina: the shell ended before command 1 of 1"; }
eval "printf 'lamina: command %s of 1: exit status %s: %.2000s\n' $lamina_i $lamina_s \"\$lamina_$lamina_i\""
exit $lamina_s
LAMINA
STOPSIGNAL SIGINT
EXPOSE 8080 53/udp
CMD ["/bin/sh"]
ENTRYPOINT ["/bin/env"]
HEALTHCHECK --interval=30s CMD true

# Layer 2: runCommands
FROM lamina-1 AS lamina-2
RUN --mount=type=secret,id=lamina-ca,target=/dev/lamina/ca.pem,mode=0444 \
    <<'LAMINA'
lamina_1='echo "$FLAVOUR" > /made/later && pwd > /made/where && id -un > /made/who'
lamina_begin() { echo "$1" >/dev/shm/lamina; eval "printf '[%s/1] %.2000s\n' $1 \"\$lamina_$1\""; }
lamina_check() { [ "$1" = 0 ] || exit "$1"; }
case $- in *e*) lamina_e=-e ;; *) lamina_e=+e ;; esac
exec 2>&1; set +e
unset LAMINA_NL TRACEPARENT OTEL_TRACES_EXPORTER OTEL_EXPORTER_OTLP_TRACES_ENDPOINT OTEL_EXPORTER_OTLP_TRACES_PROTOCOL
[ ! -s /dev/lamina/ca.pem ] || export SSL_CERT_FILE=/dev/lamina/ca.pem PIP_CERT=/dev/lamina/ca.pem REQUESTS_CA_BUNDLE=/dev/lamina/ca.pem CURL_CA_BUNDLE=/dev/lamina/ca.pem GIT_SSL_CAINFO=/dev/lamina/ca.pem NODE_EXTRA_CA_CERTS=/dev/lamina/ca.pem
( set $lamina_e
lamina_begin 1; eval "$lamina_1"; lamina_check "$?"
)
lamina_s=$?; read -r lamina_i </dev/shm/lamina
[ "$lamina_s/$lamina_i" = 0/1 ] && exit 0
[ "$lamina_s" != 0 ] || { lamina_s=1; echo "lamina: the shell ended before command 1 of 1"; }
eval "printf 'lamina: command %s of 1: exit status %s: %.2000s\n' $lamina_i $lamina_s \"\$lamina_$lamina_i\""
exit $lamina_s
LAMINA

# Layer 3: dockerfileCommands
FROM lamina-2 AS lamina-3
RUN --mount=type=secret,id=lamina-ca,target=/dev/lamina/ca.pem,mode=0444 \
    <<'LAMINA'
lamina_1='chmod -R a+rX /srv/app/it*'
lamina_begin() { echo "$1" >/dev/shm/lamina; eval "printf '[%s/1] %.2000s\n' $1 \"\$lamina_$1\""; }
lamina_check() { [ "$1" = 0 ] || exit "$1"; }
case $- in *e*) lamina_e=-e ;; *) lamina_e=+e ;; esac
exec 2>&1; set +e
unset LAMINA_NL TRACEPARENT OTEL_TRACES_EXPORTER OTEL_EXPORTER_OTLP_TRACES_ENDPOINT OTEL_EXPORTER_OTLP_TRACES_PROTOCOL
[ ! -s /dev/lamina/ca.pem ] || export SSL_CERT_FILE=/dev/lamina/ca.pem PIP_CERT=/dev/lamina/ca.pem REQUESTS_CA_BUNDLE=/dev/lamina/ca.pem CURL_CA_BUNDLE=/dev/lamina/ca.pem GIT_SSL_CAINFO=/dev/lamina/ca.pem NODE_EXTRA_CA_CERTS=/dev/lamina/ca.pem
( set $lamina_e
lamina_begin 1; eval "$lamina_1"; lamina_check "$?"
)
lamina_s=$?; read -r lamina_i </dev/shm/lamina
[ "$lamina_s/$lamina_i" = 0/1 ] && exit 0
[ "$lamina_s" != 0 ] || { lamina_s=1; echo "lamina: the shell ended before command 1 of 1"; }
eval "printf 'lamina: command %s of 1: exit status %s: %.2000s\n' $lamina_i $lamina_s \"\$lamina_$lamina_i\""
exit $lamina_s
LAMINA
USER nobody
RUN --mount=type=secret,id=lamina-ca,target=/dev/lamina/ca.pem,mode=0444 \
    <<'LAMINA'
lamina_1='id -un > /tmp/who'
lamina_begin() { echo "$1" >/dev/shm/lamina; eval "printf '[%s/1] %.2000s\n' $1 \"\$lamina_$1\""; }
lamina_check() { [ "$1" = 0 ] || exit "$1"; }
case $- in *e*) lamina_e=-e ;; *) lamina_e=+e ;; esac
exec 2>&1; set +e
unset LAMINA_NL TRACEPARENT OTEL_TRACES_EXPORTER OTEL_EXPORTER_OTLP_TRACES_ENDPOINT OTEL_EXPORTER_OTLP_TRACES_PROTOCOL
[ ! -s /dev/lamina/ca.pem ] || export SSL_CERT_FILE=/dev/lamina/ca.pem PIP_CERT=/dev/lamina/ca.pem REQUESTS_CA_BUNDLE=/dev/lamina/ca.pem CURL_CA_BUNDLE=/dev/lamina/ca.pem GIT_SSL_CAINFO=/dev/lamina/ca.pem NODE_EXTRA_CA_CERTS=/dev/lamina/ca.pem
( set $lamina_e
lamina_begin 1; eval "$lamina_1"; lamina_check "$?"
)
lamina_s=$?; read -r lamina_i </dev/shm/lamina
[ "$lamina_s/$lamina_i" = 0/1 ] && exit 0
[ "$lamina_s" != 0 ] || { lamina_s=1; echo "lamina: the shell ended before command 1 of 1"; }
eval "printf 'lamina: command %s of 1: exit status %s: %.2000s\n' $lamina_i $lamina_s \"\$lamina_$lamina_i\""
exit $lamina_s
LAMINA
SHELL ["/bin/sh", "-u", "-c"]

# Layer 4: runCommands
FROM lamina-3 AS lamina-4
RUN --mount=type=secret,id=lamina-ca,target=/dev/lamina/ca.pem,mode=0444 \
    <<'LAMINA'
lamina_1='id -un > /tmp/later; echo $- > /tmp/options'
lamina_begin() { echo "$1" >/dev/shm/lamina; eval "printf '[%s/1] %.2000s\n' $1 \"\$lamina_$1\""; }
lamina_check() { [ "$1" = 0 ] || exit "$1"; }
case $- in *e*) lamina_e=-e ;; *) lamina_e=+e ;; esac
exec 2>&1; set +e
unset LAMINA_NL TRACEPARENT OTEL_TRACES_EXPORTER OTEL_EXPORTER_OTLP_TRACES_ENDPOINT OTEL_EXPORTER_OTLP_TRACES_PROTOCOL
[ ! -s /dev/lamina/ca.pem ] || export SSL_CERT_FILE=/dev/lamina/ca.pem PIP_CERT=/dev/lamina/ca.pem REQUESTS_CA_BUNDLE=/dev/lamina/ca.pem CURL_CA_BUNDLE=/dev/lamina/ca.pem GIT_SSL_CAINFO=/dev/lamina/ca.pem NODE_EXTRA_CA_CERTS=/dev/lamina/ca.pem
( set $lamina_e
lamina_begin 1; eval "$lamina_1"; lamina_check "$?"
)
lamina_s=$?; read -r lamina_i </dev/shm/lamina
[ "$lamina_s/$lamina_i" = 0/1 ] && exit 0
[ "$lamina_s" != 0 ] || { lamina_s=1; echo "lamina: the shell ended before command 1 of 1"; }
eval "printf 'lamina: command %s of 1: exit status %s: %.2000s\n' $lamina_i $lamina_s \"\$lamina_$lamina_i\""
exit $lamina_s
LAMINA
