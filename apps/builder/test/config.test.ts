import { expect, test } from "vitest";
import { readBuilderConfig } from "../src/index.ts";

const needed = {
  LAMINA_URL: "http://127.0.0.1:7420",
  LAMINA_TOKEN: "token",
  LAMINA_NATS_URL: "nats://127.0.0.1:4222",
  LAMINA_REGISTRY: "127.0.0.1:5000",
  LAMINA_STATE: "/tmp/state",
  LAMINA_BUILDKIT: "unix:///run/buildkitd.sock",
  LAMINA_UV: "/opt/uv",
};

test.each([
  { what: "none outside of a GPU pool", environment: {}, gpus: [] },
  { what: "what stands for all in a GPU pool", environment: { LAMINA_POOL: "T4" }, gpus: ["all"] },
  { what: "those that are named", environment: { LAMINA_POOL: "T4", LAMINA_GPUS: "0,1" }, gpus: ["0", "1"] },
])("the GPUs of a builder are $what", ({ environment, gpus }) => {
  expect(readBuilderConfig({ ...needed, ...environment }).gpus).toEqual(gpus);
});
