import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { servers } from "@lamina/testkit";
import { execa } from "execa";

/** The stages that BuildKit finds in a Dockerfile, in order, without building any. Throws for what it cannot read. */
export async function stagesOf(dockerfile: string): Promise<string[]> {
  const { binaries, buildkit } = await servers();
  const work = await mkdtemp(join(tmpdir(), "lamina-stages-"));
  try {
    await writeFile(join(work, "Dockerfile"), dockerfile);
    const question = ["--frontend", "dockerfile.v0", "--local", `dockerfile=${work}`, "--opt", "requestid=frontend.targets"];
    const { stdout } = await execa(join(binaries, "buildctl"), ["--addr", buildkit.address, "build", ...question]);
    return stdout.split("\n").flatMap((line) => /^(lamina-\S+)/.exec(line)?.[1] ?? []);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
