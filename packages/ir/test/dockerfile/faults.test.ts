/** Instructions that cannot be built: each is refused before any work, with a message of its own that says where. */
import { expect, test } from "vitest";
import { checkDefinition, type Definition, DefinitionError, type StepOperation } from "../../src/index.ts";

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
  ["EXPOSE 99999", /EXPOSE needs ports .* "99999" is none/],
  ["EXPOSE 80-70", /EXPOSE needs ports .* "80-70" is none/],
  ["HEALTHCHECK --interval=1ns CMD true", /HEALTHCHECK --interval is at least 1ms/],
  ["HEALTHCHECK --interval=99999999999h CMD true", /HEALTHCHECK --interval is too long: 2562047h/],
  ["HEALTHCHECK --interval=$X CMD true", /HEALTHCHECK --interval has to be like "30s"/],
  ["HEALTHCHECK --retries=$X CMD true", /HEALTHCHECK --retries has to be like "3"/],
  ["RUN --mount=type=cache,target=/c,mode=9999 true", /RUN --mount has mode=9999, which has to be an octal number/],
  ["RUN --mount=type=cache,target=/c,uid=abc true", /RUN --mount has uid=abc, which has to be a number/],
  ["RUN --mount=type=cache,target=/c,gid=4294967296 true", /RUN --mount has gid=4294967296, which has to be a number/],
  ["RUN --mount=type=cache,target=/c,sharing=foo true", /RUN --mount has sharing=foo, which has to be shared, private or locked/],
  ["RUN --mount=type=cache,target=/c,ro=maybe true", /RUN --mount has readonly=maybe, which has to be true or false/],
  ["RUN --mount=type=cache,target=/ true", /RUN --mount has target=\/, which has to be another place than the root/],
  ["RUN --mount=type=tmpfs,target=/c,size=abc true", /RUN --mount has size=abc, which has to be a size, as in "64m"/],
  ["RUN --mount=type=cache,target=/c,uid=$X true", /RUN has "type=cache,target=\/c,uid=\$X", and nothing before it sets X/],
  ["ENV X=me\nRUN --mount=type=cache,target=/c,uid=$X true", /RUN --mount has uid=me, which has to be a number/],
  ["ENV A=${B:?err}", /ENV has "\$\{B:\?err\}", and B has no value: set it before/],
  ["LABEL a=${B?err}", /LABEL has "\$\{B\?err\}", and B has no value/],
  ["ENV B=\nENV A=${B:?err}", /ENV has "\$\{B:\?err\}", and B has no value/],
  ["STOPSIGNAL 0", /STOPSIGNAL needs a signal/],
  ["STOPSIGNAL RTMIN+16", /STOPSIGNAL needs a signal/],
  ["STOPSIGNAL $X", /STOPSIGNAL has "\$X", and nothing before it sets X: give it a value by ENV or ARG/],
  ["ARG X=SIGWHAT\nSTOPSIGNAL $X", /STOPSIGNAL needs a signal .* "SIGWHAT" is none/],
  ["VOLUME /a $X", /VOLUME has "\$X", and nothing before it sets X/],
  ['VOLUME ["$X"]', /VOLUME has "\$X", and nothing before it sets X/],
  ["ARG X=\nVOLUME /a $X", /VOLUME needs paths/],
  ["USER $X", /USER has "\$X", and nothing before it sets X/],
  ["USER 99999999999", /USER has the number 99999999999; those of users and groups go from 0 to 2147483647/],
  ["USER 0:-1", /USER has the number -1; those of users/],
  ["USER a:b:c", /USER has "a:b:c", and a user and a group have one ":"/],
  ["ENV X=99999999999\nUSER $X", /USER has the number 99999999999/],
  ["WORKDIR $X", /WORKDIR has "\$X", and nothing before it sets X/],
  ["ENV UP=..\nWORKDIR /x/$UP", /WORKDIR has a path, "\/x\/\.\.", that holds \.\./],
  ['CMD ["a", 1]', /CMD has a JSON list of other things than strings: quote each/],
  ["RUN [1]", /RUN has a JSON list of other things than strings/],
  ["COPY a b /x", /COPY has several sources, so that its destination, "\/x", has to be a directory, and end with "\/"/, { tree }],
  ['COPY ["a", "b", "/x"]', /COPY has several sources/, { tree }],
  ["COPY <<ONE a /x\nONE", /COPY has several sources/, { tree }],
  ["ADD https://x/a https://x/b /x", /ADD has several sources/],
  ["ENV TO=/x\nCOPY a b $TO", /COPY has several sources, so that its destination, "\/x"/, { tree }],
  ["COPY a $X", /COPY has "\$X", and nothing before it sets X: give it a value by ENV or ARG/, { tree }],
  ["COPY --chown=$X a /x", /COPY has "\$X", and nothing before it sets X/, { tree }],
  ["COPY --chown=a:b:c a /x", /COPY --chown has "a:b:c", and a user and a group have one ":"/, { tree }],
  ["COPY --chown=0:4294967295 a /x", /COPY --chown has the number 4294967295/, { tree }],
  ["COPY --chmod=u+ a /x", /COPY --chmod has to be like "0755" or "u\+x"/, { tree }],
  ["COPY --exclude=[a a /x", /COPY --exclude has to be like "\*\.md"/, { tree }],
  ["ADD --checksum=sha256:00000000000000000000000000000000 https://x/y /x", /ADD --checksum has to be like/],
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
    "ADD --keep-git-dir=true git@example.com:a/b.git#main /src\nARG URL=https://x/y TARGETARCH\nADD $URL $TARGETARCH/x",
    "ARG BUILDARCH=x TARGETARCH\nARG A B=1 C='x y'\nENV D $B\nENV X=${A:-${B}}${C##*/}${D/x/y}\\${E^^}'${F^^}'\nENV E=1 F=\"a b\"\nLABEL \"a b\"=c",
    'SHELL ["/bin/bash", "-eu", "-c"]\nARG GID=0 HOME=/h PORT=1\nUSER 1000:$GID\nWORKDIR $HOME/x y\nVOLUME /a /b\nVOLUME ["/c d"]\nEXPOSE 80 53/udp 8000-8010 $PORT',
    'CMD []\nENTRYPOINT ["/x"]\nENTRYPOINT x y\nSTOPSIGNAL SIGRTMIN+3\nSTOPSIGNAL 9\nHEALTHCHECK NONE\nHEALTHCHECK --interval=1m30s --retries=3 CMD curl x',
    "HEALTHCHECK --interval=0 --timeout=1ms --start-period=2562047h CMD x\nEXPOSE 0 65535 70-70\nSTOPSIGNAL 64\nUSER 2147483647:0",
    "RUN --mount=type=cache,target=/c,mode=07777,uid=4294967295,sharing=SHARED,ro --mount=type=tmpfs,target=/t,size=1.5GiB make",
    "COPY a b .\nCOPY a b d/./\nCOPY --chmod=o= --exclude=[^a-c]* a /x\nCOPY --chown=nobody:users a /x",
    "ENV TO=/to/ WHO=1000:1000\nCOPY --chown=$WHO a b $TO\nUSER $WHO\nENV A=${TO:?no} B=${NO:-x} C='${NO:?no}' D=\\${NO:?no} E=${PATH:?no}",
    "RUN echo ${NO:?no}\nCMD echo ${NO:?no}\nRUN [ -e /x ] && true",
  ];
  expect(messageOf(fragment(commands, { tree, ...inline("TOKEN") }))).toBe("it was taken");
});

test("what the base sets is not known of another's image", () => {
  const steps = [fragment(["COPY app.py ${LAMBDA_TASK_ROOT}\nUSER $NB_UID\nENV A=${CONDA_DIR:?none}\nSTOPSIGNAL $X"], { tree })];
  const check = (base: Definition["base"]) => () => checkDefinition({ builderVersion: "2026.11", base, steps });
  expect(check({ kind: "fromRegistry", reference: "public.ecr.aws/lambda/python:3.12" })).not.toThrow();
  expect(check({ kind: "debianSlim", pythonVersion: "3.12" })).toThrow(/nothing before it sets LAMBDA_TASK_ROOT/);
  expect(check({ kind: "fromRegistry", reference: "scratch" })).toThrow(/nothing before it sets LAMBDA_TASK_ROOT/);
});
