/**
 * The part of a RUN's script that keeps values of secrets out of its layer. Before the first command it
 * notes the time; after the last it searches what has changed since: contents and names of files, and
 * targets of links. `git clone https://${TOKEN}@host/…` leaves the token in the configuration of the
 * clone: there the user part of the URL is taken out. Any other find fails the step.
 *
 * Changed is what has a later change time (ctime), which `tar`, `cp -p` and `touch` cannot set back.
 * Where find lacks `-cnewer` (busybox) it is what changed in the minutes since, or everything.
 * A value of several lines is known by its longest: the others, such as the frame of a key, are in many
 * files. A value in another form (compressed, encoded, cut) is not seen.
 */

/** In bytes. Shorter values, such as `true` or a port, are in many files. */
const SHORTEST_VALUE = 6;
const SHOWN_FINDS = 10;
/** A look takes a millisecond, and a tick ten at most. */
const MOST_TICKS = 200;

/** In memory, and gone with the container of the step. */
const FILE = "/dev/shm/lamina";

/** Lines for before the first command. They define `lamina_search`, which says what was found, and fails when something was. */
export function secretSearch(variables: readonly string[], hasSecretFiles: boolean): string[] {
  const search = hasSecretFiles ? [...MOUNTED, ...searchOf(BUT_MOUNTED)] : searchOf(ALL_FILES);
  return [...noteTheTime(variables), ...REPORT, ...CLEAN_GIT_CONFIGURATION, ...search];
}

/** Time goes in ticks: the first command waits for the next one, so that what it changes is later than the start. */
function noteTheTime(variables: readonly string[]): string[] {
  return linesOf(`
for lamina_tool in find grep ls; do
  command -v $lamina_tool >/dev/null && continue
  echo "lamina: the image has no $lamina_tool, without which a step with secrets cannot be searched for their values: install it in an earlier step"
  exit 127
done
lamina_names='${variables.join(" ")}'
lamina_new='-cnewer ${FILE}-start'
echo >${FILE}-start; lamina_start=$(date +%s)
find / -maxdepth 0 $lamina_new >/dev/null 2>&1 || lamina_new=
lamina_tries=0
while echo >${FILE}-tick; [ -z "$(find ${FILE}-tick $lamina_new)" ]; do
  lamina_tries=$((lamina_tries + 1)); [ $lamina_tries -lt ${MOST_TICKS} ] && continue
  echo 'lamina: the find of the image does not find what has changed, without which a step with secrets cannot be searched for their values'
  exit 127
done`);
}

/** A place is shown up to where a value begins in it. */
const REPORT = linesOf(`
lamina_finds=0
lamina_say() { lamina_finds=$((lamina_finds + 1)); [ $lamina_finds -gt ${SHOWN_FINDS} ] || printf 'lamina: %s\\n' "$1"; }
lamina_report() {
  lamina_place=$2
  for lamina_other in $lamina_names; do
    IFS= read -r lamina_value <${FILE}-value-$lamina_other || continue
    case $lamina_place in *"$lamina_value"*) lamina_place="\${lamina_place%%"$lamina_value"*}***" ;; esac
  done
  lamina_say "the value of $1 was found in $lamina_place: a layer must not keep it; remove it in the same call"
}
lamina_report_places() {
  while IFS= read -r lamina_line; do
    for lamina_name in $lamina_names; do
      IFS= read -r lamina_value <${FILE}-value-$lamina_name || continue
      case $lamina_line in *"$lamina_value"*) lamina_report $lamina_name "the $1 /\${lamina_line#$2}" ;; esac
    done
  done
}`);

/** Takes the user part out of URLs on the lines that hold a value. The file is written in place: it keeps its mode and owner. */
const CLEAN_GIT_CONFIGURATION = linesOf(`
lamina_clean() {
  lamina_edits=$(grep -nF -f ${FILE}-values "$1" | sed 's|:.*|s#://[^/"[:space:]]*@#://#g|')
  sed "$lamina_edits" "$1" >${FILE}-clean && cat ${FILE}-clean >"$1"
}`);

/**
 * busybox's grep ends a line at NUL: there it reads NUL as the end of lines instead. The file of the values
 * is searched with the others: where it is not found, the tools are not up to it.
 */
function searchOf(files: string): string[] {
  return linesOf(`
lamina_search() (
  LC_ALL=C; export LC_ALL; umask 077
  : >${FILE}-values
  for lamina_name in $lamina_names; do
    eval "printf '%s\\n' \\"\\$$lamina_name\\"" >${FILE}-value-$lamina_name
    lamina_value=
    while IFS= read -r lamina_line; do
      [ \${#lamina_line} -le \${#lamina_value} ] || lamina_value=$lamina_line
    done <${FILE}-value-$lamina_name
    [ \${#lamina_value} -ge ${SHORTEST_VALUE} ] || { : >${FILE}-value-$lamina_name; continue; }
    printf '%s\\n' "$lamina_value" >${FILE}-value-$lamina_name; printf '%s\\n' "$lamina_value" >>${FILE}-values
  done
  [ -n "$lamina_new" ] && [ -f ${FILE}-start ] || lamina_new="-cmin -$((($(date +%s) - lamina_start) / 60 + 2))"
  find / -maxdepth 0 $lamina_new >/dev/null 2>&1 || lamina_new=
  lamina_zero=-z; [ "$(printf 'x\\0y\\n' | grep -cF y)" = 0 ] || lamina_zero=
  [ -s ${FILE}-values ] || exit 0
  : >${FILE}-files; : >${FILE}-links
  find / ${FILE}-values -xdev $lamina_new -print -type f -exec sh -c 'grep -lF "$@" >>${FILE}-files' sh $lamina_zero -f ${FILE}-values {} + \\
    -o $lamina_new -type l -exec sh -c 'ls -ld "$@" | grep -F -f ${FILE}-values >>${FILE}-links' sh {} + 2>/dev/null | grep -F -f ${FILE}-values >${FILE}-names
  [ -s ${FILE}-files ] || lamina_say 'the find and grep of the image do not find the values of secrets: install those of GNU in an earlier step'
  while IFS= read -r lamina_file; do${files}
    case $lamina_file in ${FILE}-values) continue ;; */config | */config.worktree) [ ! -f "\${lamina_file%/*}/HEAD" ] || lamina_clean "$lamina_file" ;; esac
    for lamina_name in $lamina_names; do
      grep -qF $lamina_zero -f ${FILE}-value-$lamina_name "$lamina_file"
      case $? in 0) lamina_report $lamina_name "$lamina_file" ;; 1) ;; *) lamina_report 'a secret' "$lamina_file" ;; esac
    done
  done <${FILE}-files
  lamina_report_places name / <${FILE}-names
  lamina_report_places link '* /' <${FILE}-links
  case $(id -u)/$lamina_new in 0/* | */-cmin* | */) ;; *)
    find / -xdev $lamina_new ! -type l ! -readable >${FILE}-names 2>/dev/null
    while IFS= read -r lamina_file; do
      lamina_say "$lamina_file was changed, and the user of the step may not read it to search it: change it in a step without secrets"
    done <${FILE}-names
  esac
  rm -f ${FILE}-value* ${FILE}-files ${FILE}-names ${FILE}-links ${FILE}-clean
  [ $lamina_finds -le ${SHOWN_FINDS} ] || echo "lamina: and $((lamina_finds - ${SHOWN_FINDS})) more"
  [ $lamina_finds = 0 ]
)`);
}

const ALL_FILES = "";

/** A secret that is mounted as a file is found at its place, and is not part of the layer. */
const MOUNTED = linesOf(`
lamina_mounted() {
  while read -r lamina_other lamina_other lamina_other lamina_other lamina_point lamina_other; do
    [ "$lamina_point" != "$1" ] || return 0
  done </proc/self/mountinfo
  return 1
}`);
const BUT_MOUNTED = ' lamina_mounted "$lamina_file" && continue';

function linesOf(text: string): string[] {
  return text.trim().split("\n");
}
