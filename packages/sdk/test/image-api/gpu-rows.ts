import { atStartOfPython, hook } from "./shared.ts";
import type { Row, Surroundings } from "./rows.ts";

/** On a builder whose GPU is a device in name, which sets LAMINA_TEST_GPU. */
export function gpuRows({ index }: Surroundings): Row[] {
  const what = "that the step saw the device";
  const keptAs = (name: string) => `mv /looks/python /looks/${name}`;
  return [
    {
      method: "runCommands",
      option: "gpu",
      what,
      add: (image) =>
        image
          .runCommands("mkdir /looks", atStartOfPython('g = os.environ.get("LAMINA_TEST_GPU"); g and open("/looks/python", "w").write(g)'))
          .runCommands('echo "[$LAMINA_TEST_GPU]" > /looks/run', { gpu: "T4" }),
      look: "cat /looks/run",
      expected: "[1]",
    },
    {
      method: "pipInstall",
      option: "gpu",
      what,
      add: (image) => image.pipInstall("plain", { indexUrl: index, gpu: "T4" }).runCommands(keptAs("pip"), { gpu: "T4" }),
      look: "cat /looks/pip",
      expected: "1",
    },
    {
      method: "aptInstall",
      option: "gpu",
      what,
      add: (image) => image.aptInstall("hello", ...hook('echo "[$LAMINA_TEST_GPU]" > /looks/apt'), { gpu: "any" }),
      look: "cat /looks/apt",
      expected: "[1]",
    },
    {
      method: "runFunction",
      option: "gpu",
      what,
      add: (image) =>
        image.runFunction(
          async () => {
            const { writeFile } = process.getBuiltinModule("node:fs/promises");
            await writeFile("/looks/function", process.env["LAMINA_TEST_GPU"] ?? "");
          },
          { gpu: "T4" },
        ),
      look: "cat /looks/function",
      expected: "1",
    },
    {
      method: "dockerfileCommands",
      option: "gpu",
      what,
      add: (image) => image.dockerfileCommands(['RUN echo "[$LAMINA_TEST_GPU]" > /looks/instruction'], { gpu: "T4" }),
      look: "cat /looks/instruction",
      expected: "[1]",
    },
  ];
}

/** After all that see it. */
export const withoutGpuRow: Row = {
  method: "runCommands",
  option: "gpu",
  what: "that a step without one after those that have one sees none",
  add: (image) => image.runCommands('echo "[$LAMINA_TEST_GPU]" > /looks/next'),
  look: "cat /looks/next",
  expected: "[]",
};
