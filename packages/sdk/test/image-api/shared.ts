/** What looks and the steps that they look for are made of. */
import { createHash } from "node:crypto";
import { Secret } from "lamina";

/** A command that runs Python code without single quotes. */
export const python = (code: string): string => `python -c '${code}'`;
/** Prints the version of a module that was installed from {@link Surroundings}' indexes. */
export const version = (module: string): string => python(`import ${module}; print(${module}.VERSION)`);
/** For apt, a command that it runs beside dpkg. */
export const hook = (command: string): string[] => ["-o", `DPkg::Post-Invoke::=${command}`];

const VALUE = "0123456789-of-the-table";
export const secret = Secret.fromDict({ LOOK_TOKEN: VALUE });
/** Keeps in a file that a step saw the secret, without its value. */
export const hashOfSecret = (file: string): string => `printf %s "$LOOK_TOKEN" | sha256sum | cut -c 1-64 > ${file}`;
/** What is seen where the step saw it, and nothing that is looked into has it afterwards. */
export const secretSeen = {
  look: (file: string): string => `cat ${file}; echo "[$LOOK_TOKEN]"; grep -rl ${VALUE} /looks /etc /root /tmp /usr/local`,
  expected: `${createHash("sha256").update(VALUE).digest("hex")}\n[]`,
};

/** A command after which a statement is run wherever Python starts. */
export const atStartOfPython = (statement: string): string =>
  `echo 'import os; ${statement}' > $(python -c 'import site; print(site.getsitepackages()[0])')/looks.pth`;
