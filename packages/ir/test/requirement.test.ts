import { describe, expect, test } from "vitest";
import { packageNamesFault, requirementsFault } from "../src/package-faults.ts";
import { requirementFault } from "../src/requirement.ts";

describe("takes as a requirement what pip takes", () => {
  test.each([
    "numpy",
    " numpy ",
    "Zope.Interface_x-1",
    "requests[security]",
    "requests [security, socks] >= 2.8.1, == 2.8.*",
    "numpy<2",
    "numpy>=1.26,<3,",
    "numpy (>=1.26,<3)",
    "numpy()",
    "a==1!2.0.post1+local.7",
    "a==1.0rc1.dev3",
    "a~=1.4.2",
    "a!=v1.0-1",
    "a===whatever-it_is",
    'a; python_version < "3.12"',
    "a>=1; (sys_platform == 'linux' and extra == 'x') or os.name not in \"nt\"",
    "pip @ https://example.org/pip-1.3.1.zip",
    "pip[x]@https://example.org/pip.zip ; python_version > '3'",
    "git+https://example.org/a.git@main#egg=a",
    "https://example.org/a-1.0-py3-none-any.whl",
    "file:///wheels/a.tar.gz",
    "./local",
    ".",
    "/wheels/a-1.0.whl",
    "dist/a.tar.gz[extra]",
    "a-1.0-py3-none-any.whl",
  ])("%s", (requirement) => expect(requirementFault(requirement)).toBeUndefined());
});

describe("says what is wrong with a requirement that pip refuses", () => {
  test.each([
    ["numpy pandas", /after "numpy" comes "pandas"/],
    ["numpy=1.0", /: =1.0$/],
    ["numpy==", /: ==$/],
    ["numpy>>1", /: >>1$/],
    ["numpy==1.0 pandas", /after "numpy==1.0" comes "pandas"/],
    ["numpy==one", /: ==one$/],
    ["numpy>=1.*", /: >=1\.\*$/],
    ["numpy~=1", /: ~=1$/],
    ["numpy 1.0", /after "numpy" comes "1.0"/],
    ["numpy-", /after "numpy" comes "-"/],
    ["numpy[", /names between brackets/],
    ["numpy[a b]", /names between brackets/],
    ["numpy @ ", /no URL after the @/],
    ["; rm -rf /", /begin with the name of a package/],
    ["$(reboot)", /begin with the name of a package/],
    ["numpy; rm -rf /", /is no marker .*: rm -rf \/$/],
    ["numpy; python_version < 3.12", /is no marker/],
    ["numpy; python < '3.12'", /is no marker/],
    ["git+https://", /the URL ends after its scheme/],
    ["https://", /the URL ends after its scheme/],
    ["svn+x://a/b", /packages do not come by svn\+x:/],
    ["https://a.example/b c.whl", /the URL holds a space/],
    ["six @ nonsense", /what follows the @ is no URL: nonsense/],
    ["six @ git+https://", /the URL ends after its scheme/],
    ["a\nb", /after "a" comes "b"/],
  ])("%j", (requirement, reason) => expect(requirementFault(requirement)).toMatch(reason));
});

describe("a pipInstall", () => {
  test.each([
    [["-r", "requirements of mine.txt", "--target", "/a b", "-c", "x y", "--pre", "numpy"]],
    [["-U", "numpy", "--index-url", "https://token:${TOKEN}@${HOST}/simple", "x==${VERSION}"]],
    [["--index-url=http://127.0.0.1:${PORT}/simple", "-ihttps://a/b", "--extra-index-url", "/wheels/simple"]],
    [["--extra-index-url", "${INDEX}", "numpy"]],
    [["--global-option", "-j 4", "numpy"]],
    [["--no-cache-dir", "--break-system-packages", "-qU", "-rrequirements.txt", "numpy"]],
    [["--user", "--upgrade-strat", "eager", "--proxy", "--frobnicate", "numpy"]],
    [["--preview-features=x", "--", "--frobnicate"]],
  ])("may be %j", (args) => expect(requirementsFault({ arguments: args })).toBeUndefined());

  test.each([
    [["--pre", "numpy pandas"], "invalid-requirement"],
    [["-r requirements.txt"], "invalid-requirement"],
    [["--requirement requirements.txt", "numpy"], "invalid-requirement"],
    [["numpy", "-r"], "invalid-requirement"],
    [["numpy", "--proxy"], "invalid-requirement"],
    [["numpy", "-Ur"], "invalid-requirement"],
    [["--frobnicate", "numpy"], "invalid-requirement"],
    [["--upgrade-strateg=eager", "numpy"], "invalid-requirement"],
    [["--user", "--exact", "numpy"], "invalid-requirement"],
    [["-Ux", "numpy"], "invalid-requirement"],
    [["--no-cache-dir", "numpy pandas"], "invalid-requirement"],
    [["--pre", "-U"], "empty-arguments"],
    [["--no-cache-dir", "-qq"], "empty-arguments"],
    [["--index-url", "localhost:8080/simple", "numpy"], "invalid-index-url"],
    [["--index-url=htps://index", "numpy"], "invalid-index-url"],
    [["-i", "index.example", "numpy"], "invalid-index-url"],
    [["--extra-index-url", "https://a b/", "numpy"], "invalid-index-url"],
  ])("may not be %j", (args, reason) => expect(requirementsFault({ arguments: args })).toMatchObject({ reason }));
});

test("a flag that is not there is told with the program that installs", () => {
  expect(requirementsFault({ arguments: ["--frobnicate", "six"] })?.message).toBe('"--frobnicate" is no flag of pip or of uv');
  expect(requirementsFault({ arguments: ["--user", "--frobnicate", "six"] })?.message).toBe(
    '"--frobnicate" is no flag of pip, which installs here since another flag is none of uv\'s',
  );
  expect(requirementsFault({ arguments: ["six", "-Ur"] })?.message).toBe("-Ur has no value, which is the argument after it");
});

test("an aptInstall takes flags with values, versions and patterns, and no two names in one argument", () => {
  expect(packageNamesFault(["-o", "Dpkg::Use-Pty=0 x", "git=1:2.39*", "libc6:amd64", "vim/stable", "task^", "--purge"])).toBeUndefined();
  expect(packageNamesFault(["git curl"])).toMatchObject({ reason: "invalid-package-name", message: expect.stringContaining("git curl") });
});
