/** Instructions that cannot be built: each is refused before any work, with a message of its own that says where. */
import { expect, test } from "vitest";
import { checkDefinition, DefinitionError, type StepOperation } from "../../src/index.ts";

type Fragment = Extract<StepOperation, { kind: "dockerfileCommands" }>;

const tree = `sha256:${"1".repeat(64)}`;
const image = `registry.example/uv@sha256:${"2".repeat(64)}`;
const inline = (...variables: string[]) => ({ secrets: [{ kind: "inline" as const, variables }] });

function messageOf(...steps: StepOperation[]): string {
  try {
    checkDefinition({ builderVersion: "2026.11", base: { kind: "debianSlim", pythonVersion: "3.13" }, steps });
  } catch (error) {
    if (error instanceof DefinitionError) return `${error.reason} ${error.step}: ${error.message}`;
    throw error;
  }
  return "it was taken";
}

function fragment(commands: string | string[], more: Partial<Fragment> = {}): Fragment {
  return { kind: "dockerfileCommands", commands: [commands].flat(), ...more };
}

test.each<[instruction: string, message: RegExp, more?: Partial<Fragment>]>([
  ["FROM debian", /FROM begins another image/],
  ["from debian", /FROM begins another image/],
  ["\\\nFROM debian", /FROM begins another image/],
  ["ONBUILD RUN x", /ONBUILD would run in the next layer/],
  ["MAINTAINER me", /MAINTAINER is out of use/],
  ["INSTALL git", /"INSTALL" is no instruction/],
  ["apt-get update", /"APT-GET" is no instruction/],
  ["RUN", /RUN says nothing/],
  ["RUN []", /RUN has an empty list/],
  ["ENV A=b\\\f", /ENV ends with a backslash/],
  ["ADD app.py /app/", /ADD takes URLs and git repositories here, and "app\.py" is neither: use COPY/],
  ["ADD . /app", /ADD takes URLs/],
  ["COPY a /b", /COPY takes local files, and there are none: name them in contextFiles/],
  ["RUN --mount=target=/x true", /RUN takes local files, and there are none/],
  ["COPY a", /COPY needs a source and a destination/],
  ["COPY ../a /b", /COPY has a source with "\.\."/, { tree }],
  ["ADD $NOPE /x", /ADD takes "\$NOPE", and nothing before it sets NOPE/],
  ["ARG D=.\nADD $D /x", /ADD takes URLs and git repositories here, and "\$D", "\.", is neither/],
  ["ADD ${D:-local} /x", /ADD takes URLs .* "local", is neither/],
  ["COPY $NOPE /x", /COPY takes "\$NOPE", and nothing before it sets NOPE: give it a value/, { tree }],
  ["COPY a/${NOPE} /x", /nothing before it sets NOPE/, { tree }],
  ["ARG NOPE\nCOPY $NOPE /x", /nothing before it sets NOPE/, { tree }],
  ['ENV NOPE=""\nCOPY $NOPE /x', /COPY takes "\$NOPE", which is empty/, { tree }],
  ["COPY a ~/b", /COPY has a destination, "~\/b", that begins with ~/, { tree }],
  ["COPY a /b/../c", /COPY has a destination, "\/b\/\.\.\/c", that holds \.\./, { tree }],
  ['COPY "a" "~/b"', /COPY has a destination, .* that begins with ~/, { tree }],
  ["COPY <<EOF ~/b\nx\nEOF", /COPY has a destination, "~\/b", that begins with ~/],
  ["ADD https://x/y /b/../c", /ADD has a destination, .* that holds \.\./],
  ["COPY a /b/.wh.c", /COPY has a destination, .* that has a name that begins with \.wh\./, { tree }],
  ["WORKDIR ~/b", /WORKDIR has a path, "~\/b", that begins with ~/],
  ["WORKDIR $A/..", /WORKDIR has a path, .* that holds \.\./],
  ["ENV A-B=1", /ENV has a variable named "A-B": a name is letters, digits and "_"/],
  ["ENV A.B 1", /ENV has a variable named "A\.B"/],
  ["ARG A-B", /ARG has a variable named "A-B"/],
  ["COPY https://x/y /b", /COPY cannot fetch "https:\/\/x\/y": use ADD/, { tree }],
  ["COPY --from=builder /a /b", /COPY --from takes an image by its digest/],
  ["COPY --from=0 /a /b", /COPY --from takes an image by its digest/],
  ["COPY --from=alpine:3 /a /b", /COPY --from takes an image by its digest/],
  ["COPY --from=lamina-1 /a /b", /COPY --from takes an image by its digest/],
  ["COPY --chmod=u=9 a /b", /COPY --chmod has to be like "0755"/, { tree }],
  ["COPY --chown a /b", /COPY --chown needs a value/, { tree }],
  ["COPY --link=perhaps a /b", /COPY --link is either true or false/, { tree }],
  ["COPY --chown=1 --chown=2 a /b", /COPY has --chown twice/, { tree }],
  ["COPY --checksum=x a /b", /COPY has no flag --checksum/, { tree }],
  ["COPY --constructor=x a /b", /COPY has no flag --constructor/, { tree }],
  ["COPY a <<EOF\nEOF", /COPY has a heredoc as its destination/, { tree }],
  ['COPY ["a", "it\'s"]', /COPY has an open quote/, { tree }],
  ['COPY ["<<EOF", "/x"]', /COPY has a heredoc in the JSON form/, { tree }],
  ["COPY <<'a b' /x\na b", /COPY has a heredoc beside quotes/, { tree }],
  ["COPY <<EOF '/x y'\nEOF", /COPY has a heredoc beside quotes/, { tree }],
  ["RUN --mount=type=ssh true", /RUN --mount of the type ssh has nothing to mount/],
  ["RUN --mount=type=volume,target=/x true", /RUN --mount has no type "volume"/],
  ["RUN --mount=type=cache true", /RUN --mount needs a target/],
  ["RUN --mount=type=cache,target=/x true", /RUN mounts a cache in a step with secrets/, inline("TOKEN")],
  ["RUN --mount=type=cache,target=/x,ro=false true", /RUN mounts a cache in a step with secrets/, inline("TOKEN")],
  ["RUN --mount=type=cache,target= true", /RUN --mount needs a value for its option "target"/],
  ["RUN --mount=type=cache,target=/x,size=1 true", /RUN --mount of the type cache has no option "size"/],
  ["RUN --mount=type=cache,target=/x,id=lamina-uv-cache true", /RUN --mount has an id that begins with "lamina-"/],
  ["RUN --mount=from=builder,target=/x true", /RUN --mount takes from= an image by its digest/],
  ["RUN --mount=source=../x,target=/x true", /RUN --mount has a source that leads out/, { tree }],
  [`RUN --mount='type=cache,"target=/x"' true`, /RUN --mount holds a quote/],
  ["RUN --mount=type=secret,id=TOKEN true", /RUN mounts "TOKEN", which is no variable of a secret/],
  ["RUN --mount=type=secret true", /RUN --mount needs an id/],
  ["RUN --network=host true", /RUN --network is none or default/],
  ["RUN --security=insecure true", /RUN --security is sandbox/],
  ["RUN --device=nvidia.com/gpu=all true", /RUN --device cannot stand here: ask for a GPU by the option gpu/],
  ["RUN --privileged true", /RUN has no flag --privileged/],
  ["CMD --x y", /CMD has no flag --x/],
  ["ENV A", /ENV needs a name and a value/],
  ["ENV A=1 B", /ENV needs NAME=value, and "B" has no "="/],
  ["ENV A='b", /ENV has an open quote/],
  ["ENV =b", /ENV has a value without a name/],
  ["ENV A=${B^^}", /ENV has "\$\{B\^\^\}", which only a shell would expand/],
  ["ENV A=${B", /ENV has "\$\{B", which only a shell/],
  ['LABEL a="x${}"', /LABEL has "\$\{\}"/],
  ["COPY <<EOF /x\nit's ${A,,}\nEOF", /COPY has "\$\{A,,\}"/],
  ["ENV $A=b", /ENV has a variable named "\$A"/],
  ["ENV LAMINA_NL=x", /ENV sets LAMINA_NL, which is used by the platform/],
  ["ARG BUILDARCH", /ARG asks for BUILDARCH, on which no layer may depend/],
  ["ARG TARGETSTAGE", /ARG asks for TARGETSTAGE/],
  ["ARG lamina_1", /ARG sets lamina_1, which is used by the platform/],
  ['ARG A="b', /ARG has an open quote/],
  ["LABEL a", /LABEL needs a name and a value/],
  ["SHELL /bin/bash -c", /SHELL needs a JSON list/],
  ["STOPSIGNAL SIGWHAT", /STOPSIGNAL needs a signal/],
  ["EXPOSE 80 http", /EXPOSE needs ports as in "8080" or "53\/udp", and "http" is none/],
  ["HEALTHCHECK curl x", /HEALTHCHECK needs CMD/],
  ["HEALTHCHECK --interval=soon CMD x", /HEALTHCHECK --interval has to be like "30s"/],
  ['VOLUME [""]', /VOLUME needs paths/],
  ["USER 'a", /USER has an open quote/],
  ["ENV URL=https://$TOKEN@x", /ENV names \$TOKEN, a secret/, inline("TOKEN")],
  ["COPY <<EOF /x\n${TOKEN:-x}\nEOF", /COPY names \$TOKEN, a secret/, inline("TOKEN")],
  ['SHELL ["python3", "-c"]\nRUN print(1)', /RUN has secrets, and the shell \["python3","-c"\] cannot search/, inline("TOKEN")],
  [`LABEL a="${"x".repeat(60_001)}"`, /LABEL has a line of more than 60000 bytes/],
])("%s", (instruction, message, more) => {
  const text = messageOf({ kind: "workdir", path: "/x" }, fragment(["USER root", `ENV OK=1\n${instruction}`], more));
  expect(text).toMatch(/^[a-z-]+ 1: dockerfileCommands: command 2, line [23]: /);
  expect(text).toMatch(message);
});

test.each<[what: string, steps: StepOperation[], message: RegExp]>([
  ["a command of one line has no line number", [fragment("FROM x")], /^from-instruction 0: dockerfileCommands: command 1: FROM/],
  [
    "commands after a SHELL that is none",
    [fragment('SHELL ["python3", "-c"]'), { kind: "runCommands", commands: ["true"] }],
    /^unsuitable-shell 1: runCommands: an earlier SHELL is \["python3","-c"\]/,
  ],
  [
    "a user whose variable has changed",
    [fragment("ARG WHO=nobody\nUSER $WHO"), { kind: "env", variables: { WHO: "root" } }, { kind: "aptInstall", arguments: ["git"] }],
    /^invalid-instruction 2: aptInstall: .* "USER \$WHO", since WHO has another value by now/,
  ],
  [
    "more layers than an image may have",
    [fragment(Array.from({ length: 119 }, () => "WORKDIR /x")), fragment("ENV A=b\nRUN a\nRUN b")],
    /^too-many-layers 1: dockerfileCommands: the image has 121 layers of files, and no more than 120 fit .*in dockerfileCommands each RUN, COPY, ADD and WORKDIR/,
  ],
])("%s", (_, steps, message) => {
  expect(messageOf(...steps)).toMatch(message);
});

test("takes what a Dockerfile may say beside that", () => {
  const commands = [
    "# a comment\nRUN --network=none --mount=type=cache,dst=/c,sharing=locked,ro --mount=type=tmpfs,target=/t,size=1m make",
    "RUN --mount=source=.,target=/src,rw --mount=type=secret,id=TOKEN,target=/t make # $TOKEN",
    `COPY --from=${image} --chown=1:1 --chmod=u+x,g=rX /uv /bin/`,
    "COPY --parents --exclude=*.md --exclude=*.txt --link a/./b /x/",
    "COPY <<-ONE <<'TWO' a /x/\n\t$HOME\n\tONE\n$TOKEN\nTWO",
    "ADD --checksum=sha256:0000000000000000000000000000000000000000000000000000000000000000 https://x/y.tar /",
    "ADD --keep-git-dir=true git@example.com:a/b.git#main /src\nARG URL=https://x/y\nADD $URL $TARGETARCH/x",
    "ARG BUILDARCH=x TARGETARCH\nARG A B=1 C='x y'\nENV D $B\nENV X=${A:-${B}}${C##*/}${D/x/y}\\${E^^}'${F^^}'\nENV E=1 F=\"a b\"\nLABEL \"a b\"=c",
    'SHELL ["/bin/bash", "-eu", "-c"]\nUSER 1000:$GID\nWORKDIR $HOME/x y\nVOLUME /a /b\nVOLUME ["/c d"]\nEXPOSE 80 53/udp 8000-8010 $PORT',
    'CMD []\nENTRYPOINT ["/x"]\nENTRYPOINT x y\nSTOPSIGNAL SIGRTMIN+3\nSTOPSIGNAL 9\nHEALTHCHECK NONE\nHEALTHCHECK --interval=1m30s --retries=3 CMD curl x',
  ];
  expect(messageOf(fragment(commands, { tree, ...inline("TOKEN") }))).toBe("it was taken");
});
