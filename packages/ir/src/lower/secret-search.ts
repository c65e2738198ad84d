/**
 * The part of a RUN's script that keeps values of secrets out of its layer. When all commands are done,
 * the files that changed meanwhile are searched for them. The user part of a URL in a git configuration
 * is taken out, since `git clone https://${TOKEN}@host/…` leaves it there; any other find fails the step.
 * Where grep is busybox's, which ends a line at NUL, what follows a NUL in a binary file is not seen.
 */

/** Lines that define `lamina_search`, which returns 0 when no changed file holds a value. They go before the first command. */
export function secretSearch(variables: readonly string[]): string[] {
  return [
    "lamina_nl='\n'",
    "lamina_since=$(date +%s)",
    // The longest line stands for a value: others, such as the frame of a key, are in many files.
    "lamina_pattern() {",
    "lamina_p=",
    'while [ -n "$lamina_v" ]; do',
    'lamina_l=${lamina_v%%"$lamina_nl"*}',
    '[ "${#lamina_l}" -le "${#lamina_p}" ] || lamina_p=$lamina_l',
    'case $lamina_v in *"$lamina_nl"*) lamina_v=${lamina_v#*"$lamina_nl"} ;; *) lamina_v= ;; esac',
    "done",
    "}",
    "lamina_search() {",
    "lamina_bad=0",
    "for lamina_n in find grep sed; do",
    'command -v "$lamina_n" >/dev/null || { echo "lamina: this image has no $lamina_n, without which the step cannot be searched for its secrets"; return 1; }',
    "done",
    `for lamina_n in ${variables.join(" ")}; do`,
    'eval "lamina_v=\\$$lamina_n"; lamina_pattern',
    `[ "\${#lamina_p}" -ge ${SHORTEST} ] || continue`,
    `(umask 077; printf '%s\\n' "$lamina_p" >${VALUE})`,
    `LC_ALL=C find / -xdev -type f -cmin "-$(( ($(date +%s) - lamina_since) / 60 + 2 ))" -exec grep -lF -f ${VALUE} {} + >${FOUND} 2>/dev/null`,
    "while IFS= read -r lamina_f; do",
    `case $lamina_f in *.git/*config) sed -i 's#^\\([[:space:]]*\\(push\\)\\{0,1\\}url[[:space:]]*=.*://\\)[^/@]*@#\\1#' "$lamina_f" ;; esac`,
    `grep -qF -f ${VALUE} "$lamina_f"`,
    '[ "$?" = 1 ] || { lamina_bad=1; echo "lamina: $lamina_f holds the value of the secret $lamina_n, which would stay in the layer: remove it in this step"; }',
    `done <${FOUND}`,
    "done",
    `rm -f ${VALUE} ${FOUND}`,
    'return "$lamina_bad"',
    "}",
  ];
}

/** Shorter values, such as a user's name, are in many files. */
const SHORTEST = 8;
/** In memory, and gone with the container of the step. */
const VALUE = "/dev/shm/lamina-value";
const FOUND = "/dev/shm/lamina-found";
