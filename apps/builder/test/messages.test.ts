import { describe, expect, test } from "vitest";
import {
  argumentIn,
  collisionIn,
  errorIn,
  exitCodeIn,
  isFailedPush,
  isLostConnection,
  isFailedSource,
  isMissingSource,
  isMissingUser,
  isRefusedSource,
  lineIn,
  missingFileIn,
  missingShellIn,
} from "../src/buildkit/messages.ts";

const PUSH = "failed to push 127.0.0.1:5000/x: failed to do request";

describe("of what BuildKit says", () => {
  test("the error is what follows the lines of the Dockerfile, and its line is known", () => {
    const excerpt = `Dockerfile:3\n${"-".repeat(20)}\n   2 |     \n   3 | >>> RUN exit 7\n${"-".repeat(20)}\n`;
    expect(errorIn(`${excerpt}error: failed to solve: it broke\n`)).toBe("it broke");
    expect(errorIn("error: failed to solve: it broke\n")).toBe("it broke");
    expect(errorIn("error: it broke")).toBe("it broke");
    expect(lineIn(`${excerpt}error: failed to solve: it broke\n`)).toBe(3);
    expect(lineIn("error: failed to solve: dockerfile parse error on line 12: it broke\n")).toBe(12);
    expect(lineIn("error: it broke")).toBeUndefined();
  });

  test.each([
    "failed to receive status: rpc error: code = Unavailable desc = connection refused",
    'listing workers: failed to list workers: Unavailable: connection error: desc = "transport: Error while dialing"',
    'Unavailable: connection error: desc = "error reading server preface"',
    "rpc error: code = Canceled desc = grpc: the client connection is closing: transport is closing",
    "failed to receive status: error reading from server: read unix @->/run/buildkitd.sock: use of closed network connection",
    "failed to receive status: EOF",
  ])("a lost connection: %s", (error) => {
    expect(isLostConnection(error)).toBe(true);
  });

  test.each([`${PUSH}: Head "http://127.0.0.1:5000/v2/x/blobs/sha256:0": EOF`, "the file ends in EOF of a here-document", "it broke"])(
    "no lost connection: %s",
    (error) => {
      expect(isLostConnection(error)).toBe(false);
    },
  );

  test("a push that failed", () => {
    expect(isFailedPush(`${PUSH}: dial tcp 127.0.0.1:5000: connect: connection refused`)).toBe(true);
    expect(isFailedPush(`process "echo failed to push " did not complete successfully: exit code: 1`)).toBe(false);
  });

  test("a parent image that is gone, and one whose registry is away", () => {
    const failed = "lamina-1: failed to resolve source metadata for 127.0.0.1:5000/gone@sha256:00";
    const gone = `${failed}: 127.0.0.1:5000/gone@sha256:00: not found`;
    const away = `${failed}: failed to do request: Head "http://127.0.0.1:5000/v2/gone": dial tcp: lookup x: no such host`;
    expect([gone, `${failed}: not found`, away, PUSH].map(isMissingSource)).toEqual([true, true, false, false]);
    expect([gone, away, PUSH].map(isFailedSource)).toEqual([true, true, false]);
    const refused = `${failed}: unexpected status from HEAD request to http://127.0.0.1:5000/v2/gone/manifests/sha256:00: 401 Unauthorized`;
    const noToken = (kind: string) =>
      `failed to fetch ${kind} token: unexpected status from GET request to http://127.0.0.1:5001/token?scope=repository%3Ax%3Apull: 401 Unauthorized`;
    expect([refused, noToken("oauth"), noToken("anonymous"), gone, away].map(isRefusedSource)).toEqual([true, true, true, false, false]);
  });

  test("the exit code of a command", () => {
    expect(exitCodeIn('process "/bin/sh -c exit 7" did not complete successfully: exit code: 7')).toBe(7);
    expect(exitCodeIn("it broke")).toBeUndefined();
  });

  test.each([
    ["cannot replace to directory /var/lib/buildkit/tmp/buildkit4021/opt/tool with file", { path: "/opt/tool", there: "directory" }],
    ["cannot copy to non-directory: /var/lib/buildkit/tmp/buildkit4021/opt/tool", { path: "/opt/tool", there: "file" }],
    ["mkdir /opt/my tool: not a directory", { path: "/opt/my tool", there: "file" }],
  ])("what lies where a copy comes: %s", (error, collision) => {
    expect(collisionIn(error)).toEqual(collision);
  });

  test.each([
    'runc run failed: unable to start container process: error during container init: exec: "/bin/sh": stat /bin/sh: no such file or directory',
    'runc run failed: unable to start container process: exec: "/bin/sh": executable file not found in $PATH',
  ])("a shell that the image lacks: %s", (line) => {
    expect(missingShellIn(["a line before", line])).toBe("/bin/sh");
    expect(missingShellIn(["a line before"])).toBeUndefined();
  });

  test("a file that is not in the context, or not in the image that it is copied from", () => {
    const failed = "failed to solve: failed to compute cache key: failed to calculate checksum of ref x::y:";
    expect(missingFileIn(`${failed} "/t/some/file": not found`)).toBe("some/file");
    expect(missingFileIn(`${failed} "/usr/bin/tool": not found`)).toBe("usr/bin/tool");
    expect(missingFileIn("127.0.0.1:5000/gone@sha256:00: not found")).toBeUndefined();
  });

  test("a user that the image does not have", () => {
    expect(isMissingUser('process "/bin/sh -c x" did not start: unable to find user ada: no matching entries in passwd file')).toBe(true);
    expect(isMissingUser('process "/bin/sh -c x" did not complete successfully: exit code: 1')).toBe(false);
  });

  test("the value of a build argument, in the history of an image", () => {
    expect(argumentIn("ARG A=one = 1\ntwo")).toEqual(["A", "one = 1\ntwo"]);
    expect(argumentIn("ARG A=")).toEqual(["A", ""]);
    expect(argumentIn("ARG A")).toBeUndefined();
    expect(argumentIn("RUN /bin/sh -c ARG A=1")).toBeUndefined();
  });
});
