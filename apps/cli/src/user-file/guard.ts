/** What a user's file does by itself to the process that it is loaded into, as errors of that file. */

/** A file that is not loaded to its end, and throws nothing. */
export class BadEnd extends Error {}

/** What process.exit is but for the user's file, while that is loaded. */
let outside: typeof process.exit | undefined;

/** The way out of this process, by its exit code where none is given. process.exit itself is none while a user's file is loaded. */
export function endProcess(...code: readonly [code?: number]): never {
  return outside === undefined ? process.exit(...code) : outside(...code);
}

let hasFailed = false;
const failed = Promise.withResolvers<never>();

/** Rejects with what a user's file threw where nobody catches it, which may be long after it was loaded. */
export const userFailure: Promise<never> = failed.promise;

export interface Guarded<T> {
  readonly file: string;
  readonly load: () => Promise<T>;
  /** What to show of something that nobody caught. */
  readonly errorOf: (thrown: unknown) => Promise<Error>;
}

/** Loads a user's file, and hears of all that it does from then on. @throws what `load` throws, and the error of a bad end */
export async function guarded<T>({ file, load, errorOf }: Guarded<T>): Promise<T> {
  const fail = (thrown: unknown) => {
    if (hasFailed) return;
    hasFailed = true;
    failed.resolve(errorOf(thrown).then((error) => Promise.reject(error)));
  };
  const onIdle = () => fail(new BadEnd(`${file} awaits at its top level what never comes.`));
  process.on("uncaughtException", fail).on("unhandledRejection", fail).once("beforeExit", onIdle);
  const exit = process.exit.bind(process);
  outside = exit;
  process.exit = (code) => {
    const end = new BadEnd(`process.exit(${code ?? ""}) ends the program before anything is done with ${file}.`);
    fail(end);
    // The caller expects not to go on.
    throw end;
  };
  try {
    const loaded = await Promise.race([load(), userFailure]);
    // Only after this turn is it known which rejections nobody catches.
    await new Promise((resolve) => setImmediate(resolve));
    return hasFailed ? await userFailure : loaded;
  } finally {
    process.off("beforeExit", onIdle);
    process.exit = exit;
    outside = undefined;
  }
}
