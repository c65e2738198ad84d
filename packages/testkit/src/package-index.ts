/** A private package index on loopback, in the "simple" form. */
import type { ServerResponse } from "node:http";
import { serve } from "@lamina/registry/test-support";
import { credentialsOf, refuse } from "./basic-authorization.ts";

export interface PackageIndex extends AsyncDisposable {
  /** host:port; the index is at `/simple/`, the packages are at `/files/`, which lists them all. */
  readonly host: string;
}

export interface PackageFile {
  /** Of a wheel or source distribution, such as `a_project-1.0-py3-none-any.whl`. */
  readonly name: string;
  readonly content: Uint8Array;
}

/** Serves the packages to whoever gives the token as password of the user `token`. */
export async function packageIndex(token: string, files: readonly PackageFile[]): Promise<PackageIndex> {
  return serve((request, response) => {
    const { user, password } = credentialsOf(request);
    if (user !== "token" || password !== token) return refuse(response);
    const [, directory, name] = (request.url ?? "").split("/");
    const file = files.find((one) => directory === "files" && one.name === name);
    const ofProject = files.filter((one) => directory === "simple" && projectOf(one) === name);
    if (file !== undefined) response.writeHead(200, { "content-type": "application/octet-stream" }).end(file.content);
    else if (ofProject.length > 0) list(ofProject, response);
    else if (directory === "files" && name === "") list(files, response);
    else response.writeHead(404).end();
  });
}

function list(files: readonly PackageFile[], response: ServerResponse): void {
  response.writeHead(200, { "content-type": "text/html" }).end(files.map(linkTo).join("\n"));
}

function projectOf({ name }: PackageFile): string | undefined {
  return name.split("-")[0]?.replaceAll("_", "-");
}

function linkTo({ name }: PackageFile): string {
  return `<a href="/files/${name}">${name}</a>`;
}
