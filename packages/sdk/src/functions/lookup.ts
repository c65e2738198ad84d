/** Functions that somebody else deployed, by their names. */
import { parseArgument } from "../failure.ts";
import { callSite } from "../source.ts";
import { AppNameText } from "./options.ts";
import { type AnyHandler, type Handler, remoteFunction, type RemoteFunction, anyRemoteMethods, type RemoteMethods } from "./remote.ts";

/** An app that is deployed. Whether it is, and has what is called, shows when it is called. */
export interface LookedUpApp {
  readonly name: string;
  /** A function by its name; its type is what the caller says. */
  function<H extends Handler = AnyHandler>(name: string): RemoteFunction<H>;
  /** The methods of a class by its name. */
  cls<C = Readonly<Record<string, AnyHandler>>>(name: string): RemoteMethods<C>;
}

export function lookUpApp(name: string): LookedUpApp {
  const app = parseArgument(AppNameText, name, { method: "App.lookup", source: callSite() });
  return {
    name: app,
    function: (fn) => remoteFunction({ app: () => app, function: fn }),
    cls: (cls) => anyRemoteMethods({ app: () => app, function: cls }),
  };
}
