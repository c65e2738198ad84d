import { App, Image, Secret } from "lamina";
import { describe, expect, test } from "vitest";
import { imageName } from "../src/functions/image-name.ts";
import { FUNCTION } from "../src/functions/definition.ts";
import { pythonTree } from "../src/code/sources.ts";
import { type Workspace, workspace } from "./support/workspace.ts";

const image = Image.debianSlim();
const handler = () => 1;

describe("what a function is given", () => {
  test("is told to the platform in its words", () => {
    const secret = Secret.fromDict({ TOKEN: "t" });
    const options = {
      image,
      gpu: "T4",
      cpu: 2,
      memory: 512,
      timeout: 1.5,
      retries: { max: 2, delay: 0.5 },
      secrets: [secret],
      minContainers: 10,
    };
    const fn = new App("a").function({ ...options, concurrency: 4, idleTimeout: 5 }, handler);
    expect(fn[FUNCTION]).toMatchObject({
      name: "handler",
      secrets: [secret],
      limits: {
        gpu: ["T4"],
        cpu: 2,
        memoryMib: 512,
        timeoutSeconds: 1.5,
        retries: { max: 2, delayMs: 500 },
        minContainers: 10,
        maxContainers: 10,
        concurrency: 4,
        idleSeconds: 5,
      },
    });
  });

  test.each([
    [{ gpu: "T 4" }, 'gpu: must be like "T4"'],
    [{ cpu: 0 }, "cpu: must be 0.1 or more"],
    [{ memory: 100.5 }, "memory: must be a whole number"],
    [{ timeout: 100_000 }, "timeout: must be 86400 or less"],
    [{ retries: -1 }, "retries: must be a whole number from 0 to 100"],
    [{ minContainers: 3, maxContainers: 2 }, "minContainers must not be more than maxContainers"],
    [{ name: "9 lives" }, "name: is up to 127 letters"],
  ])("%o is refused at the call, with its place", (options, message) => {
    expect(() => new App("a").function({ image, ...options }, handler)).toThrow(
      expect.objectContaining({
        code: "INVALID_INPUT",
        message: expect.stringContaining(`App.function: ${message}`),
        info: expect.objectContaining({ source: expect.objectContaining({ file: import.meta.filename }) }),
      }),
    );
  });

  test("a name is that of the option, the handler, or the variable, and is there once", () => {
    const app = new App("a");
    const variable = app.function({ image }, () => 1);
    expect(variable.name).toBe("variable");
    expect(app.function({ image, name: "given" }, handler).name).toBe("given");
    expect(app.function({ image }, handler).name).toBe("handler");
    expect(() => app.function({ image }, handler)).toThrow("the app has a function handler already");
    expect(() => [app.function({ image }, () => 1)]).toThrow("the function has no name");
  });

  test.each(["", " ", "a b", "-a"])("%o is no name of an app", (name) => {
    expect(() => new App(name)).toThrow("name");
  });

  test("a class may do without enter and exit, and has functions under these names", () => {
    class Plain {
      double(x: number): number {
        return 2 * x;
      }
    }
    class Wrong extends Plain {
      enter = 5;
    }
    const app = new App("a");
    expect(app.cls({ image }, Plain).double).toBeDefined();
    // @ts-expect-error its enter is not a function
    app.cls({ image, name: "Other" }, Wrong);
  });

  test("a class needs a method that can be called, and a function in Python a module", () => {
    class Nothing {
      enter() {
        return 1;
      }
    }
    expect(() => new App("a").cls({ image }, Nothing)).toThrow("no method to call");
    expect(() => new App("a").function({ image, python: "module" })).toThrow('must be like "module:function"');
    expect(new App("a").function({ image, python: "tasks.mail:send" }).name).toBe("send");
  });
});

describe("the sources of a module in Python", () => {
  const read = async (place: Workspace, module: string) => {
    const { entries } = await pythonTree(place.directory, module, place.path("../home"));
    return entries.filter(({ kind }) => kind === "file").map(({ path }) => path);
  };
  const files = {
    "tasks.py": "",
    "helper.py": "",
    "notes.txt": "",
    "app.ts": "",
    "data/large": "",
    "pkg/__init__.py": "",
    "pkg/inner/mail.py": "",
    "pkg/words.json": "",
    "pkg/__pycache__/mail.pyc": "",
    "pkg/node_modules/a.py": "",
    ".venv/lib/a.py": "",
    "company/tools.py": "",
    "company/words.json": "",
    "company/team/mail.py": "",
    "company/group/__init__.py": "",
    "company/group/words.json": "",
    "company/data/2026/large.py": "",
    "secret.py": "",
    ".dockerignore": "secret.py\n",
  };

  test("are the modules and packages beside it, those without __init__.py too, but for what is ignored", async () => {
    await using place = await workspace();
    await place.write(files);
    expect(await read(place, "tasks")).toEqual([
      "company/group/__init__.py",
      "company/group/words.json",
      "company/team/mail.py",
      "company/tools.py",
      "helper.py",
      "pkg/__init__.py",
      "pkg/inner/mail.py",
      "pkg/words.json",
      "tasks.py",
    ]);
  });

  test("of a package are that package", async () => {
    await using place = await workspace();
    await place.write(files);
    const all = ["pkg/__init__.py", "pkg/inner/mail.py", "pkg/words.json"];
    expect(await read(place, "pkg.inner.mail")).toEqual(all);
    expect(await read(place, "pkg")).toEqual(all);
  });

  test("that are not there are said to be missing", async () => {
    await using place = await workspace();
    await place.write(files);
    await expect(read(place, "tusks")).rejects.toThrow("there is no module tusks");
    await expect(read(place, "pkg.outer")).rejects.toThrow("looked for pkg/outer.py and pkg/outer/__init__.py");
  });
});

test("an image is called by all functions that run in it", () => {
  const names = ["double", "greet", "boom"];
  expect(names.map((_, index) => imageName(names.slice(0, index + 1)))).toEqual(["double", "double and greet", "double and 2 more"]);
});
