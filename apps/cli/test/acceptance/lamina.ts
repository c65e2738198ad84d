/** The command line as a user runs it, against a platform of the test's own. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { builderVersion, DEFAULT_BUILDER_VERSION } from "@lamina/ir";
import { testPlatform, type TestPlatform } from "@lamina/testkit";
import { z } from "zod";
import { cli, type Outcome } from "../support/cli.ts";

const ImageLine = z.object({
  type: z.literal("image"),
  name: z.string(),
  id: z.string(),
  ref: z.string(),
  layers: z.array(z.object({ id: z.string(), operation: z.string(), status: z.enum(["hit", "built", "failed"]) })),
});
export type ImageLine = z.infer<typeof ImageLine>;

const ErrorLine = z.object({
  type: z.literal("error"),
  code: z.string(),
  message: z.string(),
  layer: z.string().optional(),
  source: z.object({ file: z.string(), line: z.number() }).optional(),
  command: z.string().optional(),
  exitCode: z.number().optional(),
  lastLines: z.array(z.string()).optional(),
});
export type ErrorLine = z.infer<typeof ErrorLine>;

export interface Lamina extends AsyncDisposable {
  readonly platform: TestPlatform;
  /** A directory of the test's own, in which commands run. */
  readonly directory: string;
  /** Writes files below the directory. */
  write(files: Readonly<Record<string, string>>): Promise<void>;
  run(...args: readonly string[]): Promise<Outcome>;
  /** `lamina build FILE --json`: the image of each export, by name. Throws when it does not end with 0. */
  build(file: string): Promise<Record<string, ImageLine>>;
  /** The same where it has to fail: its error line and exit code. */
  failingBuild(file: string): Promise<ErrorLine & { readonly status: number | undefined }>;
  /** Runs a shell script in an image and returns its standard output, without the last newline. */
  look(image: ImageLine | undefined, script: string): Promise<string>;
}

export interface LaminaOptions {
  readonly repository?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

export async function lamina(options: LaminaOptions = {}): Promise<Lamina> {
  const platform = await testPlatform({
    uv: builderVersion(DEFAULT_BUILDER_VERSION)?.uv ?? "",
    ...(options.repository !== undefined && { repository: options.repository }),
  });
  const directory = await mkdtemp(path.join(tmpdir(), "lamina-user-"));
  const env = {
    LAMINA_URL: platform.url,
    LAMINA_TOKEN: platform.clientToken,
    LAMINA_HOME: path.join(directory, ".home"),
    ...options.environment,
  };
  const run = (...args: readonly string[]): Promise<Outcome> => cli(args, { cwd: directory, env });
  return {
    platform,
    directory,
    async write(files) {
      for (const [name, text] of Object.entries(files)) {
        await mkdir(path.dirname(path.join(directory, name)), { recursive: true });
        await writeFile(path.join(directory, name), text);
      }
    },
    run,
    async build(file) {
      const outcome = await run("build", file, "--json");
      if (outcome.exitCode !== 0) throw new Error(`lamina build ended with ${outcome.exitCode}\n${outcome.stdout}\n${outcome.stderr}`);
      return Object.fromEntries(linesOf(outcome, ImageLine).map((image) => [image.name, image]));
    },
    async failingBuild(file) {
      const outcome = await run("build", file, "--json");
      const error = linesOf(outcome, ErrorLine).at(-1);
      if (error === undefined) throw new Error(`lamina build gave no error\n${outcome.stdout}\n${outcome.stderr}`);
      return { ...error, status: outcome.exitCode };
    },
    async look(image, script) {
      if (image === undefined) throw new Error("there is no such image");
      const outcome = await run("exec", image.id, "--", "sh", "-c", script);
      if (outcome.exitCode !== 0) throw new Error(`the look ended with ${outcome.exitCode}\n${outcome.stdout}\n${outcome.stderr}`);
      return outcome.stdout;
    },
    async [Symbol.asyncDispose]() {
      await platform[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** What became of each layer but the base, in order, as in "hit built built". */
export function statuses(image: ImageLine | undefined): string {
  return (
    image?.layers
      .slice(1)
      .map((layer) => layer.status)
      .join(" ") ?? "no image"
  );
}

function linesOf<T>({ stdout }: Outcome, schema: z.ZodType<T>): T[] {
  return stdout.split("\n").flatMap((line) => {
    const parsed = line === "" ? undefined : schema.safeParse(JSON.parse(line));
    return parsed?.success ? [parsed.data] : [];
  });
}
