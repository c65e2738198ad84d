# Layer 1: env
FROM registry.example/shell@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef AS lamina-1
ENV BACKSLASH="\\" \
    BACKSLASHES="\\\\" \
    BACKSLASH_AT_END="C:\\dir\\" \
    BACKSLASH_N="a\\nb" \
    BACKSLASH_QUOTE="\\\"" \
    BOTH_QUOTES="'\"'\"" \
    BRACES="\${HOME}" \
    CARRIAGE_RETURN="ab" \
    COMMAND="\$(id) && rm -rf /" \
    COMMAS="[a, b]" \
    DOLLAR="\$" \
    DOLLARS="\$\$" \
    DOUBLE_QUOTES="say \"hi\"" \
    EMPTY="" \
    EQUALS="a=b=c" \
    ESCAPED_DOLLAR="\\\$HOME" \
    GLOB="* ? [a-z]" \
    HASH="# not a comment" \
    HASH_INSIDE="a #b" \
    HEREDOC="<<EOF" \
    JSON="{\"a\": [\"b\", 1], \"c\": \"\\\"d\\\"\"}" \
    OPEN_QUOTE="\"" \
    OPEN_SINGLE_QUOTE="'" \
    SHELL_WORDS="\${UNSET:-x} \$HOME `id`" \
    SINGLE_QUOTES="it's" \
    SPACE=" " \
    SPACES_AROUND="  x  " \
    SUBSTITUTION="\${PATH#*:} \${PATH%:*} \${PATH/a/b}" \
    TAB="	x	" \
    TILDE="~/x" \
    UNICODE="grüße 🚀 日本" \
    VARIABLE="\$HOME/x"

# Layer 2: env
FROM lamina-1 AS lamina-2
ARG LAMINA_NL
ENV LINES="one${LAMINA_NL:?must be a newline}two${LAMINA_NL:?must be a newline}" \
    NEXT="\$LINES"

# Layer 3: runCommands
FROM lamina-2 AS lamina-3
RUN --mount=type=secret,id=lamina-ca,target=/dev/lamina/ca.pem,mode=0444 \
    <<'LAMINA'
lamina_1='printf %s "$LINES" > /lines'
lamina_2='[ -z "${LAMINA_NL-}" ]'
lamina_begin() { echo "$1" >/dev/shm/lamina; eval "printf '[%s/2] %.2000s\n' $1 \"\$lamina_$1\""; }
lamina_check() { [ "$1" = 0 ] || exit "$1"; }
case $- in *e*) lamina_e=-e ;; *) lamina_e=+e ;; esac
exec 2>&1; set +e
unset LAMINA_NL TRACEPARENT OTEL_TRACES_EXPORTER OTEL_EXPORTER_OTLP_TRACES_ENDPOINT OTEL_EXPORTER_OTLP_TRACES_PROTOCOL
[ ! -s /dev/lamina/ca.pem ] || export SSL_CERT_FILE=/dev/lamina/ca.pem PIP_CERT=/dev/lamina/ca.pem REQUESTS_CA_BUNDLE=/dev/lamina/ca.pem CURL_CA_BUNDLE=/dev/lamina/ca.pem GIT_SSL_CAINFO=/dev/lamina/ca.pem NODE_EXTRA_CA_CERTS=/dev/lamina/ca.pem
( set $lamina_e
lamina_begin 1; eval "$lamina_1"; lamina_check "$?"
lamina_begin 2; eval "$lamina_2"; lamina_check "$?"
)
lamina_s=$?; read -r lamina_i </dev/shm/lamina
[ "$lamina_s/$lamina_i" = 0/2 ] && exit 0
[ "$lamina_s" != 0 ] || { lamina_s=1; echo "lamina: the shell ended before command 2 of 2"; }
eval "printf 'lamina: command %s of 2: exit status %s: %.2000s\n' $lamina_i $lamina_s \"\$lamina_$lamina_i\""
exit $lamina_s
LAMINA
