/** What a check of the platform's surroundings found. */
export interface Finding {
  readonly name: string;
  /** A warning is something that works worse, or that only some images need. */
  readonly state: "ok" | "warning" | "broken";
  readonly detail: string;
}

export function ok(name: string, detail: string): Finding {
  return { name, state: "ok", detail };
}

export function warning(name: string, detail: string): Finding {
  return { name, state: "warning", detail };
}

export function broken(name: string, detail: string): Finding {
  return { name, state: "broken", detail };
}
