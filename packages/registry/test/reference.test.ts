import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatReference, isRegistryError, parseReference } from "../src/index.ts";

const digest = `sha256:${"0123456789abcdef".repeat(4)}`;

describe("parseReference", () => {
  test.each([
    ["python", { host: "docker.io", repository: "library/python", tag: "latest", digest: undefined }],
    ["python:3.12-slim", { host: "docker.io", repository: "library/python", tag: "3.12-slim", digest: undefined }],
    ["nvidia/cuda:11.8", { host: "docker.io", repository: "nvidia/cuda", tag: "11.8", digest: undefined }],
    ["docker.io/python", { host: "docker.io", repository: "library/python", tag: "latest", digest: undefined }],
    ["index.docker.io/python", { host: "docker.io", repository: "library/python", tag: "latest", digest: undefined }],
    ["localhost/app", { host: "localhost", repository: "app", tag: "latest", digest: undefined }],
    ["localhost:5000/app", { host: "localhost:5000", repository: "app", tag: "latest", digest: undefined }],
    ["127.0.0.1:5000/team/app:v1", { host: "127.0.0.1:5000", repository: "team/app", tag: "v1", digest: undefined }],
    ["[::1]:5000/app:v1", { host: "[::1]:5000", repository: "app", tag: "v1", digest: undefined }],
    [`ghcr.io/a/b/c@${digest}`, { host: "ghcr.io", repository: "a/b/c", tag: undefined, digest: digest }],
    [`ghcr.io/a/b:v1@${digest}`, { host: "ghcr.io", repository: "a/b", tag: "v1", digest: digest }],
    ["x/a__b--c.d_e", { host: "docker.io", repository: "x/a__b--c.d_e", tag: "latest", digest: undefined }],
  ])("reads %s", (text, parts) => {
    expect(parseReference(text)).toEqual({ ...parts, identifier: parts.digest ?? parts.tag });
  });

  test.each([
    ["", "it is empty"],
    ["https://ghcr.io/a/b", "leave out the scheme"],
    ["a b", "white space"],
    ["python:", 'the tag ""'],
    ["python:-x", 'the tag "-x"'],
    [`python:${"x".repeat(129)}`, "1 to 128"],
    ["python@sha256:abc", 'the digest "sha256:abc"'],
    [`python@${digest.toUpperCase()}`, "the digest"],
    ["Python", 'the repository "library/Python" must be lower case'],
    ["TEAM/app", 'the repository "TEAM/app" must be lower case'],
    ["a//b", "an empty part"],
    ["ghcr.io/", "the repository is missing"],
    ["a/-b", '"-b" must be'],
    ["a/b___c", '"b___c" must be'],
    ["host:port/app", '"host:port" is not a host name'],
    ["a_b.c/app", '"a_b.c" is not a host name'],
    [`a/${"b".repeat(260)}`, "longer than 255"],
  ])("refuses %s and says why", (text, reason) => {
    expect(() => parseReference(text)).toThrow(reason);
    expect(() => parseReference(text)).toThrow(expect.objectContaining({ code: "INVALID_REFERENCE" }));
  });

  const component = fc.stringMatching(/^[a-z0-9]{1,5}(([._]|__|-{1,2})[a-z0-9]{1,5}){0,2}$/);
  const host = fc.oneof(
    fc.constantFrom("docker.io", "localhost", "ghcr.io", "[::1]:5000"),
    fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,5}[a-z0-9])?(\.[a-z0-9]{1,5}){1,2}(:[0-9]{1,5})?$/),
  );
  const repository = fc.array(component, { minLength: 2, maxLength: 4 }).map((parts) => parts.join("/"));
  const tag = fc.stringMatching(/^\w[\w.-]{0,20}$/);
  const anyDigest = fc.stringMatching(/^[0-9a-f]{64}$/).map((hex) => `sha256:${hex}`);
  const version = fc.oneof(
    tag.map((value) => ({ tag: value })),
    anyDigest.map((value) => ({ digest: value })),
    fc.record({ tag, digest: anyDigest }),
  );

  test("reads back what formatReference wrote", () => {
    fc.assert(
      fc.property(host, repository, version, (aHost, aRepository, aVersion) => {
        const parts = { host: aHost, repository: aRepository, ...aVersion };
        expect(parseReference(formatReference(parts))).toMatchObject(parts);
      }),
    );
  });

  test("is stable: what was read formats to the same reference", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-zA-Z0-9.:/_@-]{1,30}$/), (text) => {
        try {
          const reference = parseReference(text);
          expect(parseReference(formatReference(reference))).toEqual(reference);
        } catch (error) {
          if (!isRegistryError(error, "INVALID_REFERENCE")) throw error;
        }
      }),
    );
  });
});
