import { base } from "@lamina/testkit";
import { expect, test } from "vitest";
import { lamina, statuses } from "./lamina.ts";

test("two platforms on one registry: the same sources have the same ids, and the second builds nothing that the first published", async () => {
  await base("3.13");
  await using first = await lamina();
  await using second = await lamina({ repository: first.platform.repository });
  const files = {
    "image.ts": `
      import { Image } from "lamina";
      export const image = Image.debianSlim().copyLocalFile("file.txt", "/file.txt").runCommands("date +%N >/stamp");
    `,
    "file.txt": "shared",
  };
  await first.write(files);
  await second.write(files);

  const made = (await first.build("image.ts"))["image"];
  expect(statuses(made)).toBe("built built");
  const found = (await second.build("image.ts"))["image"];
  expect(statuses(found)).toBe("hit hit");
  expect(found?.id).toBe(made?.id);
  expect(found?.layers.map(({ id }) => id)).toEqual(made?.layers.map(({ id }) => id));
  expect(await second.look(found, "cat /file.txt /stamp")).toBe(await first.look(made, "cat /file.txt /stamp"));
});
