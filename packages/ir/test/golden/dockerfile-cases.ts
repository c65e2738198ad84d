/** The golden cases of `dockerfileCommands`. */
import type { GoldenCase } from "./cases.ts";
import { directory, file, fixtureTree, link } from "./fixture-tree.ts";

const context = fixtureTree(
  directory("empty", 0o700),
  directory("src"),
  directory("src/deep"),
  file("src/main.py", "print('hello')\n"),
  file("src/notes.md", "notes\n"),
  file("src/deep/data", "data\n", 0o600),
  file("run.sh", "#!/bin/sh\necho ran\n", 0o755),
  file(".dockerignore", "*\n"),
  link("current", "src"),
);

export const dockerfileCases: readonly GoldenCase[] = [
  {
    name: "dockerfile-commands",
    base: "shell",
    trees: [context],
    steps: [
      {
        kind: "dockerfileCommands",
        tree: context.digest,
        commands: [
          "# Comments stay out, lines that go on are joined.\nRUN mkdir -p /made \\\n  # here too\n\n  && echo 'a  b' > /made/joined",
          "ARG FLAVOUR='dark chocolate' EMPTY\nENV TASTE=\"$FLAVOUR\" \\\n    OTHER=x\\\\\nLABEL flavour=$FLAVOUR",
          'WORKDIR /srv/app\nCOPY --chmod=0750 --chown=65534:65534 src/*.py run.sh ./code/\nCOPY --link ["src/deep/data", "it\\\\\'s $TASTE/"]',
          "COPY . /all/\nCOPY --parents --exclude=**/*.md src /parents/\nCOPY --parents src/./deep /parents/\nCOPY current/main.py /linked.py",
          "COPY <<-PLAIN <<'QUOTED' run.sh /docs/\n\ttastes of $FLAVOUR\n\tPLAIN\nFROM nowhere \\\n# syntax=$FLAVOUR\nQUOTED",
          'RUN <<EOF\ncd /made\n  echo "$FLAVOUR $0" > heredoc\nEOF',
          "RUN { cat; cat <&3; } <<A 3<<-B > /made/two\nfirst $FLAVOUR\nA\n\tsecond\n\tB",
          'RUN <<PROGRAM\n#!/bin/cat\n# itself, it\'s "so"\nPROGRAM',
          'RUN ["/bin/touch", "/made/list $HOME"]',
          "RUN --mount=source=src,target=/mnt,rw --mount=type=bind,dst=/ctx --mount=type=tmpfs,target=/t touch /mnt/gone && cp /ctx/run.sh /mnt/notes.md /made",
          "VOLUME /data\nRUN mkdir -p /data && echo kept > /data/file",
          'STOPSIGNAL SIGINT\nEXPOSE 8080 53/udp\nCMD ["/bin/sh"]\nENTRYPOINT ["/bin/env"]\nHEALTHCHECK --interval=30s CMD true',
        ],
      },
      { kind: "runCommands", commands: ['echo "$FLAVOUR" > /made/later && pwd > /made/where && id -un > /made/who'] },
      {
        kind: "dockerfileCommands",
        commands: ["RUN chmod -R a+rX /srv/app/it*\nUSER nobody\nRUN id -un > /tmp/who", 'SHELL ["/bin/sh", "-u", "-c"]'],
      },
      { kind: "runCommands", commands: ["id -un > /tmp/later; echo $- > /tmp/options"] },
    ],
    look: [
      '[ "$(cat /made/joined)" = "a  b" ] && [ "$TASTE" = "dark chocolate" ] && [ "$OTHER" = "x\\\\" ]',
      "[ \"$(stat -c '%n %a %u' code/main.py code/run.sh | xargs)\" = 'code/main.py 750 65534 code/run.sh 750 65534' ]",
      '[ "$(cat "it\'s dark chocolate/data")" = data ] && [ "$(cat /linked.py)" = "print(\'hello\')" ]',
      '[ -f /all/.dockerignore ] && [ "$(stat -c %a /all/empty)" = 700 ] && [ "$(readlink /all/current)" = src ]',
      "[ \"$(cd /parents && find . -type f | sort | xargs)\" = './deep/data ./src/deep/data ./src/main.py' ]",
      "[ \"$(cat /docs/PLAIN)\" = 'tastes of dark chocolate' ] && [ -x /docs/run.sh ]",
      '[ "$(cat /docs/QUOTED)" = "$(printf \'FROM nowhere \\\\\\n# syntax=$FLAVOUR\')" ]',
      '[ "$(cat /made/heredoc)" = \'dark chocolate /bin/sh\' ] && [ "$(cat /made/two)" = "$(printf \'first dark chocolate\\nsecond\')" ]',
      "[ -f '/made/list $HOME' ] && [ -f /made/run.sh ] && [ -f /made/notes.md ] && [ \"$(cat /data/file)\" = kept ]",
      '[ "$(cat /made/later /made/where /made/who | xargs)" = "dark chocolate /srv/app root" ]',
      '[ "$(id -un)" = nobody ] && [ "$(cat /tmp/who /tmp/later | xargs)" = "nobody nobody" ] && grep -q u /tmp/options',
      "! find / -xdev '(' -name '*lamina*' -o -path /dev/pipes ')' | grep .",
    ],
  },
  {
    name: "dockerfile-commands-with-secrets",
    base: "shell",
    user: "nobody",
    steps: [
      {
        kind: "dockerfileCommands",
        commands: [
          'RUN [ "$TOKEN" = "s3cret-t0ken" ] && id -un > /tmp/who',
          'RUN ["/bin/sh", "-c", "printf %s \\"$TOKEN\\" | wc -c > /tmp/list"]',
          'RUN <<EOF\n#!/bin/sh\nprintf %s "$TOKEN" | wc -c > /tmp/program\nEOF',
          "RUN --mount=type=secret,id=TOKEN,target=/tmp/token,mode=0444,required wc -c < /tmp/token > /tmp/mounted",
        ],
        secrets: ["TOKEN"],
      },
    ],
    secrets: { TOKEN: "s3cret-t0ken" },
    look: ['[ "$(cat /tmp/who /tmp/list /tmp/program /tmp/mounted | xargs)" = "nobody 12 12 12" ]', '[ -z "${TOKEN-}" ]'],
  },
  {
    name: "dockerfile-commands-on-a-gpu",
    base: "shell",
    steps: [
      {
        kind: "dockerfileCommands",
        commands: ['RUN [ "$LAMINA_TEST_GPU" = 1 ]', 'RUN ["/bin/sh", "-c", "[ $LAMINA_TEST_GPU = 1 ]"]'],
        gpu: "any",
      },
    ],
    look: ['[ -z "${LAMINA_TEST_GPU-}" ]'],
  },
  {
    name: "dockerfile-commands-with-another-shell",
    base: "python",
    steps: [
      {
        kind: "dockerfileCommands",
        commands: [
          'ARG WHO=nobody\nSHELL ["/usr/bin/python3", "-c"]\nUSER $WHO',
          "RUN import os; open('/tmp/one', 'w').write(f'{os.getuid()} \\'')",
          "RUN <<EOF\nimport os\nif os.getuid():\n    open('/tmp/two', 'w').write(os.environ['WHO'])\nEOF",
          'RUN ["/usr/bin/touch", "/tmp/three"]',
          "RUN <<EOF\n#!/bin/bash\n[[ $0 == *program ]] && id -un > /tmp/four\nEOF",
          'SHELL ["/bin/sh", "-c"]',
        ],
      },
    ],
    look: [
      '[ "$(cat /tmp/one)" = "65534 \'" ] && [ "$(cat /tmp/two)" = nobody ] && [ -f /tmp/three ]',
      '[ "$(cat /tmp/four)" = nobody ] && [ "$(id -un)" = nobody ]',
    ],
  },
];
