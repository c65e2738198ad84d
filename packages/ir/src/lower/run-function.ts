import { canonicalJson } from "../canonical.ts";
import type { ResolvedStep } from "../operation.ts";
import { delimiterFor, shellArgument } from "./quoting.ts";
import type { LoweredContext, LoweredStep, Surroundings } from "./request.ts";
import { runInstruction } from "./run.ts";
import { needPython } from "./uv.ts";

type RunFunction = Extract<ResolvedStep, { kind: "runFunction" }>;

/** A function of the user's, run while building as the image's own user. Its source and arguments lie in memory, and are gone with the step. */
export function lowerRunFunction(step: RunFunction, { node, gpus }: Surroundings): LoweredStep {
  const { language, gpu, secrets = [] } = step;
  const { setup, mounts, contexts } = language === "python" ? PYTHON : nodeOf(node);
  const run = runInstruction({
    commands: [`runFunction ${shellArgument(step.name)}`],
    setup: [
      ...setup,
      file(SOURCE[language], step.source),
      file(CALL, callOf(step)),
      `runFunction() { ${language === "python" ? "python3" : `${NODE} --disable-warning=ExperimentalWarning`} ${CALL}; }`,
    ],
    shell: "sh",
    gpu,
    gpus,
    secrets: secrets.map((id) => ({ id, variable: id })),
    mounts,
  });
  return { instructions: [run], contexts, secrets };
}

const CALL = "/dev/shm/lamina-call";
const SOURCE = { python: "/dev/shm/lamina-function.py", javascript: "/dev/shm/lamina-function" } as const;
const NODE = "/dev/lamina/bin/node";
const NODE_CONTEXT = "lamina-node";

interface Interpreter {
  readonly setup: readonly string[];
  readonly mounts: readonly string[];
  readonly contexts: readonly LoweredContext[];
}

const PYTHON: Interpreter = { setup: [needPython("runFunction")], mounts: [], contexts: [] };

function nodeOf(version: string): Interpreter {
  return {
    setup: [
      `${NODE} --version >/dev/null || { echo 'Node cannot run in this image: it needs the GNU C library and libstdc++.'; exit 127; }`,
    ],
    mounts: [`type=bind,from=${NODE_CONTEXT},source=node,target=${NODE}`],
    contexts: [{ name: NODE_CONTEXT, kind: "node", version }],
  };
}

function file(path: string, text: string): string {
  const delimiter = delimiterFor(text, "LAMINA_FILE");
  return `cat >${path} <<'${delimiter}'\n${text}\n${delimiter}`;
}

/** The program that gets the function out of its source and calls it. */
function callOf({ language, name, args = [], kwargs = {} }: RunFunction): string {
  if (language === "javascript") {
    return [
      `const source = require("node:fs").readFileSync(${JSON.stringify(SOURCE.javascript)}, "utf8");`,
      `const run = require("node:vm").runInThisContext("(" + source + "\\n)", {`,
      `  filename: ${JSON.stringify(name)}, importModuleDynamically: require("node:vm").constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,`,
      `});`,
      `const unended = () => { console.error(${JSON.stringify(`${name} never ended: it awaits what never comes.`)}); process.exit(1); };`,
      `process.once("beforeExit", unended);`,
      `const call = async () => { await run(...${canonicalJson(args)}); };`,
      // Of the stack what is the function's own.
      `const ours = (line) => /^ +at .*(node:|lamina-call)/.test(line);`,
      `call().catch((error) => {`,
      `  if (error instanceof Error) error.stack = String(error.stack).split("\\n").filter((line) => !ours(line)).join("\\n");`,
      `  console.error(error);`,
      `  process.exitCode = 1;`,
      `}).finally(() => process.off("beforeExit", unended));`,
    ].join("\n");
  }
  return [
    "import asyncio, importlib.util, inspect, json, sys",
    "sys.dont_write_bytecode = True",
    `spec = importlib.util.spec_from_file_location("lamina_function", ${JSON.stringify(SOURCE.python)})`,
    "module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)",
    "spec.loader.exec_module(module)",
    `call = json.loads(${asciiLiteral(canonicalJson({ args, kwargs }))})`,
    `result = getattr(module, ${JSON.stringify(name)})(*call["args"], **call["kwargs"])`,
    "if inspect.isgenerator(result) or inspect.isasyncgen(result):",
    `    sys.exit(${JSON.stringify(`${name} is a generator, and nobody asks it for values.`)})`,
    "if inspect.isawaitable(result):",
    "    async def wait(): await result",
    "    asyncio.run(wait())",
  ].join("\n");
}

/** A string literal of Python, and of JSON. */
function asciiLiteral(text: string): string {
  return JSON.stringify(text).replaceAll(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
