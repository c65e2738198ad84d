import { VERSION } from "lamina";
import { expect, test } from "vitest";
import { ofControlPlane } from "../src/doctor/platform.ts";

test("doctor warns of a platform that is of another version than this program", () => {
  const platform = "linux/amd64";
  expect(ofControlPlane({ version: VERSION, platform })).toEqual({
    name: "control plane",
    state: "ok",
    detail: `version ${VERSION}, linux/amd64`,
  });
  expect(ofControlPlane({ version: "99.1.0", platform })).toMatchObject({
    state: "warning",
    detail: expect.stringContaining(`this is ${VERSION}`),
  });
});
