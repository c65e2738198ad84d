/** The commands, their arguments and options. What a command does is loaded when it is called. */
import { Command, type CommandUnknownOpts, Help, InvalidArgumentError, Option } from "@commander-js/extra-typings";
import { splitArguments } from "./functions/split-arguments.ts";
import type { Colors, Output } from "./output.ts";

/** Runs a command. It may set the exit code of the process; what it throws becomes one. */
type Run = (output: Output) => Promise<void>;

const json = () => new Option("--json", "one event or object a line on stdout").default(false);

export interface ProgramOptions {
  readonly version: string;
  /** Of what is wrong with the arguments. */
  readonly colors: () => Colors;
  /** Told when there are to be none. */
  readonly onNoColor: () => void;
  /** Calls what a command has loaded, with the output that its options ask for. */
  readonly run: (json: boolean, command: Run) => Promise<void>;
}

export function createProgram({ version, colors, onNoColor, run }: ProgramOptions) {
  const program = new Command("lamina")
    .description("Container images as code, on your own machines.")
    .version(version, "-V, --version", "show the version")
    .helpOption("-h, --help", "show this help")
    .helpCommand("help [command]", "show the help of a command")
    .configureHelp({ optionDescription: descriptionOf, subcommandTerm: (command) => command.name() })
    .configureOutput({ outputError: (text, write) => write(shownError(text, colors())) })
    .exitOverride()
    .showHelpAfterError("(lamina --help shows the commands)")
    .enablePositionalOptions();

  program.commandsGroup("Images:");
  program
    .command("build")
    .description("build the images that a file exports, layer by layer; what exists already is not made again")
    .argument("<file>", "a TypeScript or JavaScript file, or FILE#export for one of its images")
    .option("--pull", "ask the base registry again what a tag means", false)
    .addOption(json())
    .action((file, options) =>
      run(options.json, async (output) => (await import("./commands/build.ts")).build({ file, ...options, output })),
    );
  program
    .command("plan")
    .description("say what a build would make and send, before it does")
    .argument("<file>", "a file, or FILE#export")
    .option("--pull", "ask the base registry again what a tag means", false)
    .addOption(json())
    .action((file, options) =>
      run(options.json, async (output) => (await import("./commands/plan.ts")).plan({ file, ...options, output })),
    );
  program
    .command("dockerfile")
    .description("write a Dockerfile, its contexts and the command that build the same image without Lamina")
    .argument("<file>", "a file, or FILE#export")
    .requiredOption("--out <dir>", "the directory to write to; one below it for each image when there are several")
    .addOption(json())
    .action((file, options) =>
      run(options.json, async (output) => (await import("./commands/dockerfile.ts")).dockerfile({ file, ...options, output })),
    );
  program
    .command("exec")
    .description("run a command in a throw-away container of an image, with its output and exit code")
    .usage("[options] <image> -- <command...>")
    .argument("<image>", "an image id or 8 and more of its first digits, a reference by digest, or FILE#export")
    .argument("<command...>", "after --, the command and its arguments")
    .addOption(json())
    .passThroughOptions()
    .action((image, command, options) =>
      run(options.json, async (output) => (await import("./commands/exec.ts")).exec({ image, command: withoutDashes(command), output })),
    );
  program
    .command("images")
    .description("list the images that were built")
    .addOption(json())
    .action((options) => run(options.json, async (output) => (await import("./commands/images.ts")).images({ output })));

  program.commandsGroup("Functions:");
  program
    .command("run")
    .description("call a function of a file in an app for the moment: its logs on stderr, its result on stdout")
    .argument("<file>", "a file, or FILE::function, or FILE::Class.method; of a file alone its default export, or its one function")
    .argument("[args...]", "--name VALUE by the names of its parameters, or values in order; JSON where it is that, else text")
    .addOption(json())
    .passThroughOptions()
    .allowUnknownOption()
    .action((target, given, options) => {
      const { json, args } = splitArguments(given);
      return run(options.json || json, async (output) => (await import("./commands/run.ts")).run({ target, args, output }));
    });
  program
    .command("deploy")
    .description("make the functions of a file's apps those that are called by their names")
    .argument("<file>", "a file that exports apps or functions")
    .addOption(json())
    .action((file, options) => run(options.json, async (output) => (await import("./commands/deploy.ts")).deploy({ file, output })));
  program
    .command("call")
    .description("call a function that is deployed")
    .argument("<function>", "APP.FUNCTION, or APP.CLASS.METHOD")
    .argument("[args...]", "as those of `run`")
    .addOption(json())
    .passThroughOptions()
    .allowUnknownOption()
    .action((name, given, options) => {
      const { json, args } = splitArguments(given);
      return run(options.json || json, async (output) => (await import("./commands/call.ts")).call({ name, args, output }));
    });
  program
    .command("apps")
    .description("list the apps that were deployed")
    .addOption(json())
    .action((options) => run(options.json, async (output) => (await import("./commands/apps.ts")).apps({ output })));
  program
    .command("calls")
    .description("list the latest calls, the newest first")
    .argument("[app]", "of this app alone")
    .option("--limit <n>", "how many", wholeNumber, 50)
    .addOption(json())
    .action((app, options) =>
      run(options.json, async (output) => (await import("./commands/calls.ts")).calls({ app, limit: options.limit, output })),
    );
  program
    .command("stop")
    .description("end an app: its calls and its containers")
    .argument("<app>", "its name")
    .addOption(json())
    .action((app, options) => run(options.json, async (output) => (await import("./commands/stop.ts")).stop({ app, output })));

  program
    .command("shell")
    .description("open a terminal in a container of an image or a function; without a terminal here, pipes go in and out")
    .usage("[options] <image|function> [-- <program...>]")
    .argument(
      "<image|function>",
      "an image as `exec` takes it, FILE::image or FILE::function of TypeScript, or APP.FUNCTION of what is deployed, as a function in Python has to be",
    )
    .argument("[program...]", "after --, a program and its arguments in place of the shell")
    .option("-c, --command <line>", "a line for the shell, which ends with it")
    .addOption(json())
    .action((of, program, options) =>
      run(options.json, async (output) => (await import("./commands/shell.ts")).shell({ of, program, line: options.command, output })),
    );

  program.commandsGroup("Builds and logs:");
  program
    .command("builds")
    .description("list the latest builds, the newest first")
    .option("--limit <n>", "how many", wholeNumber, 50)
    .addOption(json())
    .action((options) => run(options.json, async (output) => (await import("./commands/builds.ts")).builds({ ...options, output })));
  program
    .command("logs")
    .description("show what a build, a call or an app said")
    .argument("<of>", "an app by its name; a build or a call by its id, or 8 and more of its last digits")
    .option("-f, --follow", "go on until it has ended, an app until some time after it is stopped", false)
    .addOption(json())
    .action((of, options) => run(options.json, async (output) => (await import("./commands/logs.ts")).logs({ of, ...options, output })));
  program
    .command("cancel")
    .description("cancel builds and calls; what has ended stays as it is")
    .argument("<ids...>", "of builds or calls: the id, or 8 and more of its last digits")
    .addOption(json())
    .action((ids, options) => run(options.json, async (output) => (await import("./commands/cancel.ts")).cancel({ ids, output })));

  program.commandsGroup("Secrets:");
  const secret = program.command("secret").description("keep values that steps may use and no image keeps");
  secret
    .command("set")
    .description(
      "keep a secret; NAME takes the value from the environment, and without variables they are read from stdin, one NAME=VALUE a line",
    )
    .argument("<name>", "the name for Secret.fromName")
    .argument("[variables...]", "names of environment variables whose values to keep")
    .addOption(json())
    .action((name, variables, options) =>
      run(options.json, async (output) => (await import("./commands/secret.ts")).setSecret({ name, variables, output })),
    );
  secret
    .command("list")
    .description("list the names of secrets and of their variables")
    .addOption(json())
    .action((options) => run(options.json, async (output) => (await import("./commands/secret.ts")).listSecrets({ output })));
  secret
    .command("rm")
    .description("remove a secret")
    .argument("<name>")
    .addOption(json())
    .action((name, options) => run(options.json, async (output) => (await import("./commands/secret.ts")).removeSecret({ name, output })));

  program.commandsGroup("The platform on this machine:");
  program
    .command("up")
    .description("start the platform in the background, or find that it runs")
    .addOption(json())
    .action((options) => run(options.json, async (output) => (await import("./commands/up.ts")).up({ output })));
  program
    .command("down")
    .description("stop the platform; what it keeps on disk stays")
    .addOption(json())
    .action((options) => run(options.json, async (output) => (await import("./commands/down.ts")).down({ output })));
  program
    .command("status")
    .description("say what runs, since when, where, and how much it keeps")
    .addOption(json())
    .action((options) => run(options.json, async (output) => (await import("./commands/status.ts")).status({ output })));
  program
    .command("doctor")
    .description("check everything that the platform stands on, and say what is wrong")
    .addOption(json())
    .action((options) => run(options.json, async (output) => (await import("./commands/doctor.ts")).doctor({ output })));
  program
    .command("dev", { hidden: true })
    .description("run the platform from source; what is changed is started again")
    .action(() => run(false, async (output) => (await import("./commands/dev.ts")).dev({ output })));
  program
    .command("quickstart", { hidden: true })
    .description("start the platform, build the first example and run a command in it")
    .action(() => run(false, async (output) => (await import("./commands/quickstart.ts")).quickstart({ output })));
  program.option("--no-color", "no colours, as with NO_COLOR").on("option:no-color", onNoColor);
  for (const command of allOf(program.commands)) {
    command.option("--no-color", "no colours, as with NO_COLOR").on("option:no-color", onNoColor);
    command.showHelpAfterError(`usage: ${pathOf(command)} ${command.usage()}\n(${pathOf(command)} --help says more)`);
  }
  return program;
}

function allOf(commands: readonly CommandUnknownOpts[]): CommandUnknownOpts[] {
  return commands.flatMap((command) => [command, ...allOf(command.commands)]);
}

function pathOf(command: CommandUnknownOpts): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

/** Broken between words where the terminal ends, as help is. */
function shownError(text: string, colors: Colors): string {
  const { isTTY, columns } = process.stderr;
  const lines = isTTY ? new Help().boxWrap(text, columns) : text;
  return lines.replace(/^error:/, (word) => colors.red(colors.bold(word)));
}

/** A switch is off where it is not given, which need not be said. */
function descriptionOf(option: Option): string {
  return option.isBoolean() ? option.description : new Help().optionDescription(option);
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 500) throw new InvalidArgumentError("It must be a whole number from 1 to 500.");
  return value;
}

/** Options that are passed through keep the `--` that sets them apart. */
function withoutDashes(command: readonly string[]): readonly string[] {
  return command[0] === "--" ? command.slice(1) : command;
}
