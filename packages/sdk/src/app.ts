/** Apps: functions with the images that they run in. */
import { dirname } from "node:path";
import { badInput } from "@lamina/api";
import { parseArgument } from "./failure.ts";
import { deployApp, type DeployOptions, type DeployResult } from "./functions/deploy.ts";
import { APP, type AppState, FUNCTION, type FunctionDefinition } from "./functions/definition.ts";
import { lookUpApp, type LookedUpApp } from "./functions/lookup.ts";
import { variableAt } from "./functions/name.ts";
import { AppNameText, FunctionOptions, limitsOf, NAME_RULE, PythonOptions } from "./functions/options.ts";
import {
  type AnyHandler,
  type Handler,
  remoteFunction,
  type RemoteFunction,
  remoteMethods,
  type RemoteMethods,
} from "./functions/remote.ts";
import { runInSession, type Session, type SessionOptions, startSession } from "./functions/session.ts";
import { connect } from "./client/client.ts";
import type { Image } from "./image.ts";
import { IMAGE, isImage } from "./image-state.ts";
import { callSite, loadedFile } from "./source.ts";
import { FunctionName, type SourceLocation } from "@lamina/api";

/** A function of an app, in whichever language. */
export interface RegisteredFunction<H extends Handler = AnyHandler> extends RemoteFunction<H> {
  readonly [FUNCTION]: FunctionDefinition;
  readonly name: string;
  readonly image: Image;
}

/** A function of an app: its code, and the image that it runs in. */
export interface AppFunction<H extends Handler = AnyHandler> extends RegisteredFunction<H> {
  /** The handler itself, which runs here. */
  readonly local: H;
}

/** A class of an app: its methods are called from elsewhere, each container has one object of it. */
export type AppClass<C> = RemoteMethods<C> & { readonly [FUNCTION]: FunctionDefinition };

/** Set up by `enter` once a container, before its first call, and ended by `exit` after the last. */
export interface Lifecycle {
  enter?(): unknown;
  exit?(): unknown;
}

/** A named set of functions. */
export class App {
  readonly name: string;
  readonly [APP]: AppState;

  /** @throws INVALID_INPUT for what is no name */
  constructor(name: string) {
    this.name = parseArgument(AppNameText, name, { method: "App", source: callSite() });
    this[APP] = { name: this.name, functions: [], session: undefined };
  }

  /** An app that somebody deployed, to call its functions by their names. */
  static lookup(name: string): LookedUpApp {
    return lookUpApp(name);
  }

  /** Registers a function, and gives back what it is called by. Nothing is sent before it is deployed. */
  function<H extends Handler>(options: FunctionOptions, handler: H): AppFunction<H>;
  /** Registers a function in Python, of a module beside the file that calls this. */
  function<H extends Handler = AnyHandler>(options: PythonOptions): RegisteredFunction<H>;
  function<H extends Handler>(options: FunctionOptions | PythonOptions, handler?: H): RegisteredFunction<H> | AppFunction<H> {
    const call = { method: "App.function", source: callSite() };
    const isPython = handler === undefined && "python" in Object(options);
    const definition = isPython ? this.#python(options, call) : this.#typescript(options, handler, call);
    const { name, image } = definition;
    const remote = remoteFunction<H>({ app: () => appOf(this[APP]), function: name });
    return Object.freeze({ ...remote, [FUNCTION]: definition, name, image, ...(handler !== undefined && { local: handler }) });
  }

  /** Registers a class, and gives back its methods to call. It is made without arguments. */
  cls<C extends object & Lifecycle>(options: FunctionOptions, cls: new () => C): AppClass<C> {
    const call = { method: "App.cls", source: callSite() };
    if (typeof cls !== "function")
      throw badInput("invalid-function", "App.cls: the second argument must be a class", { source: call.source });
    const methods = methodsOf(prototypeOf(cls));
    if (methods.length === 0) throw badInput("invalid-function", "App.cls: the class has no method to call", { source: call.source });
    const definition = this.#typescript(options, cls, { ...call, methods });
    const remote = remoteMethods<C>({ app: () => appOf(this[APP]), function: definition.name }, methods);
    return Object.assign(remote, { [FUNCTION]: definition });
  }

  /** Makes these the functions of the app under its name: builds what images are missing, sends the code. */
  async deploy(options: DeployOptions = {}): Promise<DeployResult> {
    return deployApp(await connect(), this[APP], options);
  }

  /** Has the app for the moment, until the session is disposed of: calls from this process go there. */
  run(options?: SessionOptions): Promise<Session>;
  /** Has the app for the moment while the body runs, and gives what that gives. */
  run<T>(body: (session: Session) => T | PromiseLike<T>, options?: SessionOptions): Promise<T>;
  async run<T>(
    first: SessionOptions | ((session: Session) => T | PromiseLike<T>) = {},
    options: SessionOptions = {},
  ): Promise<T | Session> {
    const client = await connect();
    return typeof first === "function"
      ? runInSession(client, this[APP], { ...options, body: first })
      : startSession(client, this[APP], first);
  }

  #typescript(
    options: unknown,
    code: unknown,
    { methods, ...call }: Calling & { readonly methods?: readonly string[] },
  ): FunctionDefinition {
    const { image, name: given, secrets, ...limits } = parseArgument(FunctionOptions, options, call);
    if (typeof code !== "function")
      throw badInput("invalid-function", `${call.method}: the second argument must be a function`, { source: call.source });
    const own = given ?? (code.name || undefined);
    const variable = own === undefined && call.source !== null ? variableAt(call.source) : undefined;
    return this.#register(
      {
        app: this[APP],
        name: checkedName(own ?? variable, call),
        image,
        secrets,
        limits: limitsOf(limits),
        source: call.source,
        code: { language: "typescript", file: loadedFile() ?? undefined, isNamedByVariable: own === undefined, handler: code },
        methods,
      },
      call,
    );
  }

  #python(options: unknown, call: Calling): FunctionDefinition {
    const { image, name: given, secrets, python, ...limits } = parseArgument(PythonOptions, options, call);
    if (call.source === null)
      throw badInput("invalid-function", `${call.method}: call it in a file, since the module is looked for beside that`);
    const [module = "", name = ""] = python.split(":");
    return this.#register(
      {
        app: this[APP],
        name: checkedName(given ?? name, call),
        image,
        secrets,
        limits: limitsOf(limits),
        source: call.source,
        code: { language: "python", directory: dirname(call.source.file), module, name },
      },
      call,
    );
  }

  #register(definition: FunctionDefinition, { method, source }: Calling): FunctionDefinition {
    const { functions } = this[APP];
    const { name } = definition;
    if (functions.some((other) => other.name === name)) {
      throw badInput(
        "invalid-function",
        `${method}: the app has a function ${name} already; give this one another name, by { name: "…" }`,
        { source },
      );
    }
    functions.push(Object.freeze(definition));
    return definition;
  }
}

interface Calling {
  readonly method: string;
  readonly source: SourceLocation | null;
}

function checkedName(name: string | undefined, { method, source }: Calling): string {
  if (name === undefined)
    throw badInput("invalid-function", `${method}: the function has no name; give it one, by { name: "…" }`, { source });
  if (!FunctionName.safeParse(name).success)
    throw badInput("invalid-function", `${method}: ${JSON.stringify(name)} is no name of a function, which ${NAME_RULE}`, { source });
  return name;
}

function appOf({ session, name }: AppState): string {
  return session ?? name;
}

/** The names of all methods of a class, also of those that it extends. */
function methodsOf(prototype: object | null): string[] {
  if (prototype === null || prototype === Object.prototype) return [];
  const own = Object.entries(Object.getOwnPropertyDescriptors(prototype)).flatMap(([name, { value }]) =>
    typeof value === "function" && !NOT_CALLED.has(name) ? [name] : [],
  );
  return [...new Set([...own, ...methodsOf(asObject(Object.getPrototypeOf(prototype)))])];
}

function prototypeOf(cls: { readonly prototype: unknown }): object | null {
  return asObject(cls.prototype);
}

function asObject(value: unknown): object | null {
  return typeof value === "object" ? value : null;
}

const NOT_CALLED: ReadonlySet<string> = new Set(["constructor", "enter", "exit"]);

/** An image that a module makes available, under a name for people. */
export interface NamedImage {
  readonly name: string;
  readonly image: { readonly [IMAGE]: unknown };
}

/**
 * The images of a module's exports, each once: images themselves first, then those of exported
 * functions under the function's name, then those of the functions of exported apps under `app.function`.
 */
export function imagesOf(exports: Readonly<Record<string, unknown>>): NamedImage[] {
  const entries = Object.entries(exports);
  const found = [
    ...entries.flatMap(([name, value]) => (isImage(value) ? [{ name, image: value }] : [])),
    ...entries.flatMap(([name, value]) => (isFunction(value) ? [{ name, image: value[FUNCTION].image }] : [])),
    ...entries.flatMap(([, value]) =>
      isApp(value) ? value[APP].functions.map((fn) => ({ name: `${value[APP].name}.${fn.name}`, image: fn.image })) : [],
    ),
  ];
  return found.filter(({ image }, index) => found.findIndex((other) => other.image[IMAGE] === image[IMAGE]) === index);
}

/** A function or a class of an app, of this copy of the SDK or another. */
export function isFunction(value: unknown): value is { readonly [FUNCTION]: FunctionDefinition } {
  return typeof value === "object" && value !== null && FUNCTION in value;
}

/** The apps of a module's exports and of its exported functions, each once. */
export function appsOf(exports: Readonly<Record<string, unknown>>): AppState[] {
  const states = Object.values(exports).flatMap((value) => (isApp(value) ? [value[APP]] : isFunction(value) ? [value[FUNCTION].app] : []));
  return [...new Set(states)];
}

/** What a function or a class of an app is. */
export function definitionOf(value: { readonly [FUNCTION]: FunctionDefinition }): FunctionDefinition {
  return value[FUNCTION];
}

function isApp(value: unknown): value is { readonly [APP]: AppState } {
  return typeof value === "object" && value !== null && APP in value;
}
