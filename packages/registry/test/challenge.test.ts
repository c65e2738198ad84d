import { expect, test } from "vitest";
import { parseChallenge } from "../src/challenge.ts";

test.each([
  ['Basic realm="x"', { scheme: "basic" }],
  [
    'Bearer realm="https://auth.example/token",service="registry.example"',
    { scheme: "bearer", realm: "https://auth.example/token", service: "registry.example" },
  ],
  [
    'Bearer realm="https://a/t?x=1,2", scope="repository:a:pull,push"',
    { scheme: "bearer", realm: "https://a/t?x=1,2", service: undefined },
  ],
  ["bearer realm=https://a/t", { scheme: "bearer", realm: "https://a/t", service: undefined }],
  ['Basic realm="a \\"quoted\\" one", Bearer realm="https://a/t"', { scheme: "bearer", realm: "https://a/t", service: undefined }],
  ['Basic realm="Bearer realm=evil"', { scheme: "basic" }],
  ["Negotiate", undefined],
  ["Bearer", undefined],
  [null, undefined],
])("reads %s", (header, expected) => expect(parseChallenge(header)).toEqual(expected));
