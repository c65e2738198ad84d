import { join } from "node:path";
import type { Row, Surroundings } from "./rows.ts";

/** In an image whose programs are those of {@link Surroundings.tiny}. */
export function copyRows({ files }: Surroundings): Row[] {
  const local = (name: string) => join(files, name);
  return [
    {
      method: "workdir",
      what: "the directory in which a command starts",
      add: (image) => image.workdir("/srv").workdir("app"),
      look: 'echo "$PWD"',
      expected: "/srv/app",
    },
    {
      method: "env",
      what: "values, exactly as given",
      add: (image) => image.env({ HARD: "a $HOME ${X:-y} \"'\\ #\n é", EMPTY: "" }),
      look: 'printf %s "[$HARD][${EMPTY-unset}]"',
      expected: "[a $HOME ${X:-y} \"'\\ #\n é][]",
    },
    {
      method: "copyLocalFile",
      what: "content, at the remote path",
      add: (image) => image.copyLocalFile(local("one.txt"), "/data/renamed.txt"),
      look: "cat /data/renamed.txt",
      expected: "one",
    },
    {
      method: "copyLocalFile",
      what: "its own name, in a remote path that ends in /",
      add: (image) => image.copyLocalFile(local("run.sh"), "/data/bin/"),
      look: "/data/bin/run.sh",
      expected: "it runs",
    },
    {
      method: "copyLocalFile",
      what: "the same place under the working directory, without a remote path",
      add: (image) => image.copyLocalFile("package.json"),
      look: 'test -r "$PWD/package.json" && echo there',
      expected: "there",
    },
    {
      method: "copyLocalFile",
      what: "all that is in it, of a directory",
      add: (image) => image.copyLocalFile(local("tree"), "/as-file"),
      look: "cat /as-file/deep/two.txt",
      expected: "two",
    },
    {
      method: "copyLocalDir",
      what: "files, empty directories, links as they are, and odd names",
      add: (image) => image.copyLocalDir(local("tree"), "/tree"),
      look: `cat "/tree/it's \\$5 é.txt" /tree/deep/two.txt; test -d /tree/empty && echo empty; test -L /tree/out && ! test -e /tree/out && echo link`,
      expected: "odd\ntwo\nempty\nlink",
    },
    {
      method: "copyLocalDir",
      what: "that what its .dockerignore names is not there",
      add: (image) => image.copyLocalDir(local("ignoring"), "/ignoring"),
      look: "cd /ignoring && echo * .*",
      expected: "kept.log src . .. .dockerignore",
    },
    {
      method: "copyLocalDir",
      option: "ignore",
      what: "that what the patterns name is not there, and an exception is",
      add: (image) => image.copyLocalDir(local("ignoring"), "/patterns", { ignore: ["src/*", "!src/a.py", "!a.log"] }),
      look: "cd /patterns && echo * src/*",
      expected: "a.log kept.log src src/a.py",
    },
    {
      method: "copyLocalDir",
      option: "condition",
      what: "that what it turns down is not there",
      add: (image) => image.copyLocalDir(local("ignoring"), "/condition", { condition: (path) => path.endsWith(".py") }),
      look: "cd /condition && echo * src/*",
      expected: "src src/a.py src/b.py",
    },
  ];
}
