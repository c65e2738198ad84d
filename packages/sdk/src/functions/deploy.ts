/** Deploying: images are built and code is sent, both at once, then the platform is told of the functions. */
import { badInput, type DeployedFunction, type Deployment } from "@lamina/api";
import { type BuildResult, buildImage, type ClientEvent } from "../build.ts";
import type { Client } from "../client/client.ts";
import { codeOf, type FunctionCode } from "../code/tree.ts";
import { sdkConfig } from "../config.ts";
import { IMAGE } from "../image-state.ts";
import { inlineValues, withSecrets } from "../image-secrets.ts";
import type { AnyImage } from "../plan.ts";
import { referenceTo, type Secret } from "../secret.ts";
import type { SnapshotTree } from "../snapshot.ts";
import type { UploadProgress } from "../upload/upload.ts";
import type { AppState } from "./definition.ts";
import { imageName } from "./image-name.ts";
import { allParametersOf } from "./parameters.ts";

export interface DeployOptions {
  /** Cancels what has not been done yet. */
  readonly signal?: AbortSignal | undefined;
  /** Builds one image of the app, in place of {@link buildImage}; the name is that of its functions, as in "double and 2 more". */
  readonly build?: ((image: AnyImage, name: string) => Promise<Pick<BuildResult, "id">>) | undefined;
  /** Hears of what happens to an image, by the name of its functions. */
  readonly onEvent?: ((event: ClientEvent, name: string) => void) | undefined;
  /** Hears of the code that is sent. */
  readonly onUpload?: ((progress: UploadProgress) => void) | undefined;
}

export type DeployResult = Deployment;

/**
 * Makes an app's functions those of the app of that name, or of one for the moment with the given id.
 * @throws LaminaError for why an image cannot be built, code cannot be sent, or the platform cannot serve the functions
 */
export async function deployApp(
  client: Client,
  { name: app, functions }: AppState,
  { ephemeral, ...options }: DeployOptions & { readonly ephemeral?: string | undefined },
): Promise<Deployment> {
  const { signal } = options;
  if (functions.length === 0)
    throw badInput("empty-arguments", `The app ${app} has no function; make one by app.function(…) before it is deployed`);
  const secrets = secretValues(functions);
  await using code = await codeOf({ app, functions, home: sdkConfig().home });
  const [images, parameters] = await Promise.all([
    builtImages(client, functions, options),
    Promise.all(functions.map(allParametersOf)),
    sendCode(client, code.functions, options),
  ]);
  return await client.apps.deploy(
    {
      app,
      functions: functions.map((definition, index): DeployedFunction => {
        const { name, image, limits, methods, secrets } = definition;
        const { tree, entry } = ofIndex(code.functions, index);
        return {
          name,
          code: tree.digest,
          entry,
          ...limits,
          ...(methods !== undefined && { methods: [...methods] }),
          image: images(image),
          parameters: ofIndex(parameters, index),
          secrets: secrets.map(referenceTo),
        };
      }),
      secrets,
      ...(ephemeral !== undefined && { ephemeral }),
    },
    { signal },
  );
}

/** Builds each image once, all at the same time; then tells the id of an image. */
async function builtImages(
  client: Client,
  functions: AppState["functions"],
  { build, onEvent, signal }: DeployOptions,
): Promise<(image: AnyImage) => string> {
  const shared = Map.groupBy(functions, ({ image }): unknown => image[IMAGE]);
  const stop = new AbortController();
  const until = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
  const buildOne =
    build ??
    ((image: AnyImage, name: string) =>
      buildImage(client, image, { name, signal: until, onEvent: onEvent && ((event) => onEvent(event, name)) }));
  try {
    const ids = new Map(
      await Promise.all(
        [...shared].map(async ([state, users]): Promise<[unknown, string]> => {
          const image = ofIndex(users, 0).image;
          return [state, (await buildOne(image, imageName(users.map(({ name }) => name)))).id];
        }),
      ),
    );
    return (image) => ids.get(image[IMAGE]) ?? "";
  } catch (error) {
    stop.abort();
    throw error;
  }
}

async function sendCode(client: Client, codes: readonly FunctionCode[], { onUpload = () => {}, signal }: DeployOptions): Promise<void> {
  const trees = new Map<string, SnapshotTree>(codes.map(({ tree }) => [tree.digest, tree]));
  const { upload } = await import("../upload/upload.ts");
  await upload(client, [...trees.values()], { onProgress: onUpload, signal });
}

/** The values of all inline secrets. @throws INVALID_INPUT when a variable would have two values in one app */
function secretValues(functions: AppState["functions"]): Record<string, string> {
  const all = functions.reduce<readonly Secret[]>(
    (before, { name, secrets, source }) => withSecrets(before, secrets, { method: name, source, of: "app" }),
    [],
  );
  return inlineValues(all);
}

function ofIndex<T>(items: readonly T[], index: number): T {
  const item = items[index];
  if (item === undefined) throw new RangeError(`there is no item ${index} of ${items.length}`);
  return item;
}
