/**
 * Byte code of installed Python packages. uv can compile it too, but compiles all that is installed each time, that of
 * earlier layers included, and takes most of the time of a step that has its packages at hand. Here the byte code of a
 * file that was compiled before is taken from a cache, and what has its byte code is left as it is.
 */

const BYTE_CODE_CACHE = "/dev/lamina/byte-code";

export const BYTE_CODE_MOUNT = `type=cache,id=lamina-byte-code,target=${BYTE_CODE_CACHE}`;

/**
 * Compiles the packages of the Python that `UV_PYTHON` names. The byte code names the hash of its source, so that it holds
 * whatever time the source has, and not after a change of its content. A file that is no valid Python is passed over, as by pip.
 */
export const COMPILE_BYTE_CODE: readonly string[] = `
"$UV_PYTHON" -I -W ignore -c '
import hashlib, importlib.util, os, py_compile, sys, sysconfig
cache = "${BYTE_CODE_CACHE}"
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
'`
  .trim()
  .split("\n");
