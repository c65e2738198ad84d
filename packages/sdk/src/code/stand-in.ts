/**
 * What a bundle has in place of this package. In a container functions are called by the harness, which finds them in a map
 * under `Symbol.for("lamina.handlers")`; images, secrets and the platform are of no use there.
 */

/** What this package has beside what is made here: for who calls functions, and an error of the container's when it is used there. */
const OF_NO_USE = [
  "INPUT_BYTES",
  "PlatformFile",
  "REASONS",
  "SourceLocation",
  "UNSEEN_BYTES",
  "VERSION",
  "ValueProblem",
  "appsOf",
  "badInput",
  "buildImage",
  "builderVersion",
  "builderVersionNames",
  "connect",
  "decodeValue",
  "definitionOf",
  "deployApp",
  "dockerfileOf",
  "encodeValue",
  "exitCodeOf",
  "exportDockerfile",
  "findPlatform",
  "followBuild",
  "handlerOf",
  "imageState",
  "imagesOf",
  "isFunction",
  "isImage",
  "laminaError",
  "layersAfter",
  "namedPlatform",
  "parametersOf",
  "planImage",
  "sdkConfig",
  "spawnCall",
  "startSession",
];

/** A module with every name that this package exports. */
export const STAND_IN = `
const handlers = (globalThis[Symbol.for("lamina.handlers")] ??= new Map());

function notHere(what) {
  return () => {
    throw new Error(what + " is of no use in a container: there is no platform to talk to. Keep it in app.run(async () => …), or in a file of its own.");
  };
}

/** Takes every call, and gives itself. */
const anything = new Proxy(function () {}, {
  get: (_, name) => (name === "then" || typeof name === "symbol" ? undefined : anything),
  apply: () => anything,
  construct: () => anything,
});

function callable(name, local) {
  return { name, image: anything, local, remote: notHere(name + ".remote"), map: notHere(name + ".map"), spawn: notHere(name + ".spawn") };
}

class App {
  constructor(name) {
    this.name = name;
  }
  static lookup(name) {
    return { name, function: (fn) => callable(fn, notHere(fn + ".local")), cls: () => anything };
  }
  function(options, handler) {
    return register(this, options, handler, undefined);
  }
  cls(options, cls) {
    return register(this, options, cls, undefined);
  }
  /** The name of a variable, as the SDK has read it in the file; put in front of the call by the bundler. */
  named(variable) {
    return {
      function: (options, handler) => register(this, options, handler, variable),
      cls: (options, cls) => register(this, options, cls, variable),
    };
  }
  async deploy() {
    return { app: this.name, name: this.name, version: 0, functions: [], images: [] };
  }
  async run() {
    return { app: this.name, stop: async () => {}, [Symbol.asyncDispose]: async () => {} };
  }
}

function register(app, options, handler, variable) {
  const name = options.name ?? (handler?.name || variable);
  if (typeof handler === "function") handlers.set(app.name + "/" + name, handler);
  return callable(name, handler);
}

class Call {
  constructor(id) {
    this.id = id;
    this.get = notHere("Call.get");
    this.cancel = notHere("Call.cancel");
  }
  static fromId(id) {
    return new Call(id);
  }
}

class LaminaError extends Error {
  name = "LaminaError";
  constructor(info, options) {
    super(info.message, options);
    this.info = info;
  }
  get code() {
    return this.info.code;
  }
}

function asLaminaError(thrown) {
  return thrown instanceof LaminaError ? thrown : undefined;
}

function ofNoUse(name) {
  const refuse = notHere(name);
  return new Proxy(function () {}, { get: refuse, apply: refuse, construct: refuse });
}

export { App, Call, LaminaError, asLaminaError };
export { anything as Image, anything as Secret };
${OF_NO_USE.map((name) => `export const ${name} = /* @__PURE__ */ ofNoUse("${name}");`).join("\n")}
`;

/** The name under which a bundle registers a function: bundles may have functions of several apps. */
export function registeredName(app: string, name: string): string {
  return `${app}/${name}`;
}
