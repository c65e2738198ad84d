import { expect, test } from "vitest";
import { client, testControlPlane } from "./support/platform.ts";
import { deploy, done, fakeRunner, functionOf, inputOf, jsonValue, materials } from "./support/functions.ts";
import { v7 as uuid } from "uuid";

test("a function is deployed, called and answered", async () => {
  await using platform = await testControlPlane();
  const { services } = platform;
  const app = await deploy(platform, [functionOf(await materials(platform), "f")]);
  expect(app).toMatchObject({ name: "shop", version: 1, functions: [{ name: "f", language: "python" }] });
  await using runner = await fakeRunner(platform, app.functions[0]?.id ?? "");
  const id = uuid();
  const answer = services.calls.start(client, { app: "shop", function: "f", calls: [{ id, input: inputOf(1) }], waitMs: 20_000 });
  const taken = await runner.take();
  expect(taken.message).toEqual({ call: id, input: inputOf(1) });
  await taken.finish(done(2));
  expect(await answer).toEqual([{ id, end: done(2) }]);
  expect(await services.calls.get(client, { id })).toMatchObject({
    app: "shop",
    function: "f",
    version: 1,
    state: "done",
    retries: 0,
    end: { result: jsonValue(2) },
  });
  expect(await services.apps.list(client)).toMatchObject([{ name: "shop", state: "active", pending: 0 }]);
});
